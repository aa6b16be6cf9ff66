"""What differs between a person at a terminal and a script."""

from __future__ import annotations

import sys
from types import TracebackType

import click


def can_ask(*, yes: bool, as_json: bool) -> bool:
    """Whether to ask before something is done: there is a person, who has not said yes already."""
    return not yes and not as_json and sys.stdin.isatty() and sys.stdout.isatty()


class ProgressLine:
    """On a terminal one line that changes; elsewhere a line each time that it says something else.

    It goes to stderr: stdout has the result.
    """

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._shown = ""

    def show(self, what: str, about: str = "") -> None:
        """Show ``what``, and on a terminal ``about``, an estimate which changes all the time."""
        if self._live:
            click.echo(f"\r{what}{about}\x1b[K", err=True, nl=False)
        elif what != self._shown:
            click.echo(what, err=True)
        self._shown = what

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live and self._shown:
            click.echo("\r\x1b[K", err=True, nl=False)
