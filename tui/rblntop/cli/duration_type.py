"""Lengths of time on the command line: ``90s``, ``10m``, ``1h30m``."""

from __future__ import annotations

import re

import click

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
LONGEST_S = 366 * 86400.0

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d)\s*")


def parse_duration(text: str, *, seconds_alone: bool = False) -> float:
    """Seconds.

    Raises:
        ValueError: it is no length of time; the message says how to write one.
    """
    if seconds_alone and re.fullmatch(r"\d+(\.\d+)?|\.\d+", text):
        return float(text)
    total, at = 0.0, 0
    while (part := _PART.match(text, at)) is not None:
        total += float(part[1]) * SECONDS[part[2]]
        at = part.end()
    if at == 0 or at != len(text):
        raise ValueError(f"{text!r} is no length of time, such as 90s, 10m, 2h or 1h30m")
    if total > LONGEST_S:
        raise ValueError(f"{text!r} is longer than a year")
    return total


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """A length of time in seconds. A bare number is refused where it could be taken for minutes."""

    name = "DURATION"

    def __init__(self, *, seconds_alone: bool = False, zero: bool = False) -> None:
        """``seconds_alone``: a bare number counts as seconds. ``zero``: nothing at all is a length, too."""
        self._seconds_alone = seconds_alone
        self._zero = zero

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        if isinstance(value, float):
            return value
        try:
            seconds = parse_duration(str(value), seconds_alone=self._seconds_alone)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not seconds and not self._zero:
            self.fail(f"{value!r} is no time at all", param, ctx)
        return seconds
