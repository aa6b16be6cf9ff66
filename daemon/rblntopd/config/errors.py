"""What is wrong with a configuration."""

from __future__ import annotations

from collections.abc import Sequence


class ConfigError(Exception):
    """A configuration that is not taken; the message has a line for each thing that is wrong with it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


def refused(what: str, value: str, allowed: str) -> str:
    """A value that is not allowed."""
    return f"{what} = {value}: allowed is {allowed}"
