"""Sizes on the command line: ``500k``, ``100M``, ``2G``."""

from __future__ import annotations

import re

import click

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", re.IGNORECASE)


class Size(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """A number of bytes."""

    name = "SIZE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Bytes."""
        if isinstance(value, int):
            return value
        match = _SIZE.fullmatch(str(value))
        size = int(float(match[1]) * UNITS[match[2].lower()]) if match else 0
        if not size:
            self.fail(f"{value!r} is no size, such as 500k, 100M or 2G", param, ctx)
        return size
