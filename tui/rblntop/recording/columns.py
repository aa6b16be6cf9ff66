"""Columns of whole numbers in few bytes: as they are or as differences, in the narrowest width, by byte.

Bytes of the same weight lie together (all lowest bytes, then all second ones ...), because times differ in
their low bytes and agree in the high ones: the compressor then finds what repeats.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise

from rblntop.recording.errors import DamagedBlockError

HEADER = struct.Struct("<HBBIQ")
"""name (a number), width of a value in bytes, form, bytes that follow, first value."""
CONSTANT, PLAIN, DELTA = 0, 1, 2
WIDTHS = {1: "b", 2: "h", 4: "i", 8: "q"}

_WRAP = 1 << 64
_SIGN = 1 << 63


def pack_column(name: int, values: Sequence[int]) -> bytes:
    """A column of at least one value of 0 .. 2**64 - 1."""
    first = values[0]
    if values.count(first) == len(values):
        return HEADER.pack(name, 0, CONSTANT, 0, first)
    deltas = [_signed(after - before) for before, after in pairwise(values)]
    candidates = [(DELTA, *_narrow(deltas))]
    if max(values) < _SIGN:
        candidates.append((PLAIN, *_narrow(values[1:])))
    # Noise is smaller as it is, and what grows is smaller as differences: what packs better, wins.
    form, width, raw = min(candidates, key=lambda candidate: len(zlib.compress(candidate[2], 1)))
    return HEADER.pack(name, width, form, len(raw), first) + raw


def unpack_columns(
    content: bytes, at: int, count: int, *, nested: Mapping[int, int], most: int
) -> dict[int, list[int]]:
    """All columns from ``at`` on, by name.

    Args:
        content: A block's content.
        at: Where the columns begin.
        count: Values of a column.
        nested: Columns that have as many values as the sum of an earlier column, by name.
        most: Values that a nested column may have. A constant one takes no byte for any of them.

    Raises:
        DamagedBlockError: a column has another length than it should have, or an unknown form.
    """
    columns: dict[int, list[int]] = {}
    while at < len(content):
        if at + HEADER.size > len(content):
            raise DamagedBlockError("a column's header is cut off")
        name, width, form, size, first = HEADER.unpack_from(content, at)
        at += HEADER.size
        raw = content[at : at + size]
        at += size
        length = sum(columns.get(nested[name], ())) if name in nested else count
        if not 0 < length <= max(count, most):
            raise DamagedBlockError(f"column {name} would have {length:,} values")
        if form == CONSTANT and not size:
            columns[name] = [first] * length
            continue
        if (
            form not in (PLAIN, DELTA)
            or width not in WIDTHS
            or len(raw) != size
            or size != width * (length - 1)
        ):
            raise DamagedBlockError(f"column {name} has {size} bytes for {length} values")
        rest = _wide(raw, width)
        if form == DELTA:
            found = list(accumulate(rest, initial=first))
            if min(found) < 0 or max(found) >= _WRAP:
                found = [value % _WRAP for value in found]
        else:
            found = [first, *rest]
            if min(found) < 0:
                raise DamagedBlockError(f"column {name} has a negative value")
        columns[name] = found
    return columns


def _signed(difference: int) -> int:
    """The difference in 64 bits: adding it wraps around."""
    return (difference + _SIGN) % _WRAP - _SIGN


def _narrow(values: Iterable[int]) -> tuple[int, bytes]:
    values = list(values)
    low, high = min(values), max(values)
    width = next(w for w in WIDTHS if -(1 << 8 * w - 1) <= low and high < 1 << 8 * w - 1)
    packed = array(WIDTHS[width], values)
    if sys.byteorder == "big":
        packed.byteswap()
    raw = packed.tobytes()
    return width, b"".join(raw[byte::width] for byte in range(width))


def _wide(raw: bytes, width: int) -> array[int]:
    size = len(raw) // width
    straight = bytearray(len(raw))
    for byte in range(width):
        straight[byte::width] = raw[byte * size : (byte + 1) * size]
    values = array(WIDTHS[width], bytes(straight))
    if sys.byteorder == "big":
        values.byteswap()
    return values
