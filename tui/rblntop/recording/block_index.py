"""Finds the blocks of a file by their headers, and goes on where a damaged one is followed by others."""

from __future__ import annotations

import os
from pathlib import Path

from rblntop.recording.errors import DamagedBlockError, RecordingError
from rblntop.recording.frame import (
    BLOCK_HEADER,
    FILE_HEADER,
    MAGIC,
    MAJOR,
    MARKER,
    MAX_BLOCKS,
    MAX_FILE_HEADER,
    Block,
    block_at,
)

SEARCH_BYTES = 1 << 20
MAX_FALSE_MARKERS = 10_000
"""A file in which more things look like blocks and are none is no damaged recording."""


class BlockIndex:
    """The blocks found so far. A file that is still being written is looked at again with :meth:`scan`."""

    def __init__(self, path: Path, file: int) -> None:
        """Check the header of an open file.

        Raises:
            RecordingError: it is no recording, or one that cannot be read here.
        """
        self.path = path
        self._file = file
        self.blocks: list[Block] = []
        self.damaged: list[str] = []
        """What was left out in the middle, in words."""
        self.unread = 0
        """Bytes behind the last block that are no whole block: one that is being written, or was cut off."""
        self.end = self._checked_header()
        """Of the last block."""
        self._searched = self.end
        self._false_markers = 0

    def scan(self) -> bool:
        """Look for blocks behind the last one; true if there are more.

        Raises:
            RecordingError: the file became shorter, or is none.
        """
        size = os.fstat(self._file).st_size
        if size < self.end:
            raise RecordingError(self.path, f"became shorter while it was read: {size:,} bytes")
        before = len(self.blocks)
        while self.end < size:
            try:
                block = block_at(os.pread(self._file, BLOCK_HEADER.size, self.end), self.end)
            except DamagedBlockError as error:
                if not self._skip(str(error), size):
                    break
                continue
            if block.end > size:
                break
            if len(self.blocks) == MAX_BLOCKS:
                raise RecordingError(self.path, f"has more than {MAX_BLOCKS:,} blocks")
            self.blocks.append(block)
            self.end = self._searched = block.end
        self.unread = size - self.end
        return len(self.blocks) > before

    def _checked_header(self) -> int:
        raw = os.pread(self._file, FILE_HEADER.size, 0)
        if not raw:
            raise RecordingError(self.path, "is empty: no recording, or one that was just begun")
        if not raw.startswith(MAGIC[: len(raw)]):
            raise RecordingError(self.path, f"is not a recording: it starts with {raw[:8]!r}")
        if len(raw) < FILE_HEADER.size:
            raise RecordingError(
                self.path, f"is cut off: {len(raw)} bytes, a recording's header has {FILE_HEADER.size}"
            )
        _, major, minor, size = FILE_HEADER.unpack(raw)
        if major != MAJOR:
            what = "a newer rblntop made it, update this one" if major > MAJOR else "no rblntop made such"
            raise RecordingError(
                self.path, f"is a recording of format {major}.{minor}, this side reads {MAJOR}.x: {what}"
            )
        if not FILE_HEADER.size <= size <= MAX_FILE_HEADER:
            raise RecordingError(self.path, f"corrupt header: it says that it has {size:,} bytes")
        return int(size)

    def _skip(self, why: str, size: int) -> bool:
        """Go on at the next block behind the damaged one; false if there is none yet."""
        at = max(self._searched, self.end + 1)
        while at < size:
            chunk = os.pread(self._file, SEARCH_BYTES, at)
            found = chunk.find(MARKER)
            if found < 0:
                # A marker may lie across the end of what was read.
                at = max(at + len(chunk) - len(MARKER) + 1, at + 1)
                continue
            at += found
            try:
                block = block_at(os.pread(self._file, BLOCK_HEADER.size, at), at)
                if block.end <= size:
                    self.damaged.append(
                        f"{at - self.end:,} bytes at byte {self.end:,} are damaged ({why}) and left out"
                    )
                    self.end = at
                    return True
            except DamagedBlockError:
                self._false_markers += 1
                if self._false_markers > MAX_FALSE_MARKERS:
                    raise RecordingError(
                        self.path, f"is damaged beyond use from byte {self.end:,} on"
                    ) from None
            at += 1
        self._searched = max(self.end, size - BLOCK_HEADER.size)
        return False
