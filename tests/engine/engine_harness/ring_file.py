"""Reads a ring file as the format says, and nothing more: a reader to hold the writer against."""

from __future__ import annotations

import fcntl
import json
import os
import struct
from pathlib import Path
from typing import Any

from rblntopd.probe import ring_format as fmt


class RingFile:
    """One ring file, read with ``pread``."""

    def __init__(self, path: Path, first: int = 0) -> None:
        """Open it; ``first`` is the first record that is wanted."""
        self.path = path
        self._file = os.open(path, os.O_RDONLY)
        self.header = fmt.Header(*fmt.HEADER_FIXED.unpack(self._read(0, fmt.HEADER_FIXED.size)))
        assert self.header.magic == fmt.MAGIC
        self._next = first

    @classmethod
    def only_one_in(cls, runtime_dir: Path) -> RingFile:
        """The ring of the one engine that runs in ``runtime_dir``."""
        (path,) = runtime_dir.glob("**/*.ring")
        return cls(path)

    def _read(self, offset: int, size: int) -> bytes:
        data = os.pread(self._file, size, offset)
        assert len(data) == size
        return data

    @property
    def description(self) -> dict[str, Any]:
        raw = self._read(self.header.description_offset, self.header.description_size)
        found: dict[str, Any] = json.loads(raw.rstrip(b"\0"))
        return found

    def live(self, word: fmt.Live) -> int:
        raw = self._read(self.header.live_offset + word * fmt.WORD, fmt.WORD)
        return int.from_bytes(raw, "little")

    @property
    def fault(self) -> str:
        """Why the probe switched itself off; empty: it did not."""
        return self._read(fmt.FAULT_OFFSET, self.live(fmt.Live.FAULT_LENGTH)).decode()

    def new_steps(self) -> list[fmt.Step]:
        """The records published since the last call; asserts that none was overwritten before it was read."""
        head = self.live(fmt.Live.HEAD)
        assert head - self._next < self.header.record_capacity
        steps = []
        for number in range(self._next, head):
            slot = number % self.header.record_capacity
            offset = self.header.records_offset + slot * self.header.record_size
            raw = self._read(offset, self.header.record_size)
            assert int.from_bytes(raw[: fmt.WORD], "little") == number + 1
            steps.append(fmt.Step(*fmt.STEP.unpack_from(raw, fmt.WORD)))
        self._next = head
        return steps

    def sample(self) -> fmt.Sample:
        return fmt.Sample(*self._block(fmt.SAMPLE, self.header.sample_offset, len(fmt.Sample._fields)))

    def limits(self) -> fmt.Limits:
        return fmt.Limits(*self._block(fmt.LIMITS, self.header.limits_offset, len(fmt.Limits._fields)))

    def journal(self) -> list[fmt.JournalEntry]:
        """All entries, oldest first; their texts without padding."""
        found = []
        for number in range(self.live(fmt.Live.JOURNAL_HEAD)):
            offset = self.header.journal_offset + number * self.header.journal_entry_size
            sequence, *values = fmt.JOURNAL.unpack(self._read(offset, fmt.JOURNAL.size))
            assert sequence == number + 1
            at = len(fmt.JournalEntry._fields) - 2
            values[at - 3 : at] = [text.rstrip(b"\0") for text in values[at - 3 : at]]
            caps = values[at : at + fmt.MAX_GROUPS], values[at + fmt.MAX_GROUPS :]
            found.append(fmt.JournalEntry(*values[:at], *map(tuple, caps)))
        return found

    def _block(self, layout: struct.Struct, offset: int, fields: int) -> list[Any]:
        """The fields of a block under a sequence lock; the last of them have one value for each group."""
        lock, *values = layout.unpack(self._read(offset, layout.size))
        assert lock % 2 == 0
        per_group = (len(values) - fields) // (fmt.MAX_GROUPS - 1)
        first = fields - per_group
        starts = range(first, len(values), fmt.MAX_GROUPS)
        return [*values[:first], *(tuple(values[at : at + fmt.MAX_GROUPS]) for at in starts)]

    @property
    def writer_is_gone(self) -> bool:
        """Whether nobody holds the lock that dies with the writer's process."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        fcntl.lockf(self._file, fcntl.LOCK_UN)
        return True

    def close(self) -> None:
        os.close(self._file)
