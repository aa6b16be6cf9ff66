"""Reads a ring with ``pread``: never mapped, never torn, and every record that is lost is counted.

Imports nothing outside the standard library and the ring format, so that a ring can be read without a daemon.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from rblntopd.engines.ring_file import Problem, RingFileError, open_ring
from rblntopd.probe import ring_format as fmt
from rblntopd.probe.ring_format import Live

#: A record as it was decoded: its sequence word (position + 1), then the fields of ``ring_format.Step``.
Row: TypeAlias = tuple[Any, ...]
#: How many steps of an empty run had each cause, and the slot time in us each took.
Causes: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]

#: Records in one ``pread``: 256 KB.
CHUNK_RECORDS = 2048
#: A block under a sequence lock is written in about 20 us; a reader that is disturbed this often gives up.
BLOCK_TRIES = 50

_LIVE = struct.Struct(f"<{fmt.LIVE_WORDS}Q")
_WORD = struct.Struct("<Q")
_CAUSE_COUNT = len(fmt.EmptyCause)
# Structs without the sequence lock, which is read as a word of its own.
_KIND_AT = 1 + fmt.Step._fields.index("kind")
#: Fields of these, the last ones, that have a value for each group.
_LIMITS_PER_GROUP, _JOURNAL_PER_GROUP = 4, 2


@dataclass(frozen=True, slots=True)
class Records:
    """Consecutive records, oldest first."""

    first: int
    """Sequence number of the first row."""
    rows: list[Row]
    missed: int
    """Records before ``first`` that were wanted and are no longer in the ring."""
    causes: dict[int, Causes] = field(default_factory=dict)
    """Of the empty runs, by sequence number."""

    @property
    def next(self) -> int:
        """Sequence number to go on from."""
        return self.first + len(self.rows)

    def steps(self) -> Iterator[tuple[int, fmt.Step, Causes | None]]:
        """Sequence number, step, and the causes of an empty run."""
        for row in self.rows:
            sequence = row[0] - 1
            yield sequence, fmt.Step._make(row[1:]), self.causes.get(sequence)


@dataclass(frozen=True, slots=True)
class RequestTable:
    """The unfinished requests of an engine at one moment."""

    mono_ns: int
    real_ns: int
    step: int
    total: int
    """Unfinished requests; there may be fewer rows."""
    rows: list[fmt.RequestRow]


class RingReader:
    """One open ring. Any number of readers may read it at once; none of them can disturb the writer."""

    def __init__(self, path: Path, file: int, header: fmt.Header) -> None:
        self.path = path
        self.header = header
        self._file = file
        status = os.fstat(file)
        self.identity = (status.st_dev, status.st_ino)
        """Device and inode: differs when another file has taken the path."""
        self._row = struct.Struct(f"<Q{fmt.STEP.format[1:]}{header.record_size - fmt.CAUSES_AT}x")
        assert self._row.size == header.record_size
        self._blocks: dict[int, tuple[bytes, tuple[Any, ...]]] = {}
        """Sequence word and values of the blocks under a sequence lock, as they were last read."""

    @classmethod
    def open(cls, path: Path) -> RingReader:
        """Open the ring at ``path``.

        Raises:
            RingFileError: the file is not one to read; the error says what is wrong with it.
        """
        file, header = open_ring(path)
        return cls(path, file, header)

    @property
    def capacity(self) -> int:
        """Records the ring can hold."""
        return self.header.record_capacity

    def fileno(self) -> int:
        """The open file, for a lock test."""
        return self._file

    def close(self) -> None:
        """Let go of the file. Closing twice is allowed."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> RingReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def description(self) -> dict[str, Any]:
        """The engine's description of itself; every key is optional.

        Raises:
            RingFileError: it is not a JSON object.
        """
        raw = self._read(self.header.description_offset, self.header.description_size, "description")
        try:
            found = json.loads(raw.rstrip(b"\0").decode() or "{}")
        except (ValueError, RecursionError) as error:
            raise RingFileError(
                self.path, Problem.CORRUPT, f"its description is not JSON: {error}"
            ) from error
        if not isinstance(found, dict):
            raise RingFileError(self.path, Problem.CORRUPT, "its description is not a JSON object")
        return found

    def live(self) -> tuple[int, ...]:
        """The words of the live block, by :class:`ring_format.Live`. Each is whole; they need not agree."""
        return _LIVE.unpack(self._read(self.header.live_offset, _LIVE.size, "live block"))

    def fault(self) -> str:
        """Why the probe switched itself off; empty when it did not."""
        length = min(self.live()[Live.FAULT_LENGTH], fmt.FAULT_SIZE)
        offset = self.header.live_offset + fmt.FAULT_OFFSET - fmt.LIVE_OFFSET
        return self._read(offset, length, "fault").decode(errors="replace") if length else ""

    def head(self) -> int:
        """Records published so far."""
        offset = self.header.live_offset + Live.HEAD * fmt.WORD
        return int(_WORD.unpack(self._read(offset, fmt.WORD, "live block"))[0])

    def in_flight(self) -> list[fmt.InFlight]:
        """Batches in flight, oldest first. An entry that changed while it was read is left out."""
        slots = min(self.live()[Live.IN_FLIGHT_SLOTS], fmt.MAX_IN_FLIGHT)
        stride = self.header.in_flight_entry_size
        size = slots * stride
        once = self._read(self.header.in_flight_offset, size, "in-flight table")
        again = self._read(self.header.in_flight_offset, size, "in-flight table")
        found = []
        for at in range(0, size, stride):
            entry = fmt.InFlight(*fmt.IN_FLIGHT.unpack_from(once, at))
            if entry.step and once[at : at + fmt.IN_FLIGHT_SIZE] == again[at : at + fmt.IN_FLIGHT_SIZE]:
                found.append(entry)
        return sorted(found)

    def sample(self) -> fmt.Sample | None:
        """The latest sample; None before the first, or when it changed at every try."""
        values = self._locked(fmt.SAMPLE, self.header.sample_offset, "sample block")
        if values is None:
            return None
        at = len(fmt.Sample._fields)
        return fmt.Sample._make((*values[1:at], values[at : at + fmt.MAX_GROUPS]))

    def limits(self) -> fmt.Limits | None:
        """The limits in force; None before the probe wrote any, or when they changed at every try."""
        values = self._locked(fmt.LIMITS, self.header.limits_offset, "limits block")
        if values is None:
            return None
        at = 1 + len(fmt.Limits._fields) - _LIMITS_PER_GROUP
        return fmt.Limits._make((*values[1:at], *_per_group(values[at:])))

    def journal(self, first: int) -> tuple[int, list[fmt.JournalEntry]]:
        """Accepted changes from entry ``first`` (from 0) on, oldest first, and the number of the first.

        Entries that the journal no longer holds are left out.
        """
        (head,) = _WORD.unpack(
            self._read(self.header.live_offset + Live.JOURNAL_HEAD * fmt.WORD, fmt.WORD, "live block")
        )
        capacity, stride = self.header.journal_capacity, self.header.journal_entry_size
        found: list[fmt.JournalEntry] = []
        number = max(first, head - capacity, 0)
        start = number
        while number < head:
            offset = self.header.journal_offset + number % capacity * stride
            raw = self._read(offset, fmt.JOURNAL.size, "journal")
            sequence, *values = fmt.JOURNAL.unpack(raw)
            again = self._read(offset, fmt.WORD, "journal")
            if sequence != number + 1 or again != raw[: fmt.WORD]:
                # Overwritten while it was read: so are all before it.
                found, start = [], number + 1
            else:
                at = len(fmt.JournalEntry._fields) - _JOURNAL_PER_GROUP
                found.append(fmt.JournalEntry._make((*values[:at], *_per_group(values[at:]))))
            number += 1
        return start, found

    @property
    def has_requests(self) -> bool:
        """Whether there is a place for a table of requests: a probe before ring format 1.1 has none."""
        return self.header.requests_offset > 0

    def requests(self) -> RequestTable | None:
        """The table of requests; None before anybody asked for one, or when it changed at every try."""
        if not self.has_requests:
            return None
        header = self.header
        for _ in range(BLOCK_TRIES):
            raw = self._read(header.requests_offset, fmt.REQUESTS.size, "request table")
            sequence, mono_ns, real_ns, step, total, count = fmt.REQUESTS.unpack(raw)
            if sequence == 0:
                return None
            count = min(count, header.request_capacity)
            at = header.requests_offset + fmt.REQUESTS.size
            rows = self._read(at, count * header.request_size, "request table")
            if (
                sequence % 2
                or self._read(header.requests_offset, fmt.WORD, "request table") != raw[: fmt.WORD]
            ):
                continue
            offsets = range(0, count * header.request_size, header.request_size)
            found = [fmt.RequestRow._make(fmt.REQUEST.unpack_from(rows, offset)) for offset in offsets]
            return RequestTable(mono_ns, real_ns, step, total, found)
        return None

    def read(self, sequence: int, limit: int = CHUNK_RECORDS) -> Records:
        """At most ``limit`` records from ``sequence`` on; fewer, or none, where there are no more yet.

        A record is returned only if its sequence word is its own and it still lay in the ring after the
        copy; what the writer overwrote meanwhile counts as missed.
        """
        head = self.head()
        first = max(sequence, head - self.capacity + 1, 0)
        count = min(head - first, limit, CHUNK_RECORDS)
        if count <= 0:
            return Records(max(first, sequence), [], max(0, first - sequence))
        raw = self._records(first, count)
        # The slot after the newest record is being written: the record that it held is no longer whole.
        oldest = self.head() - self.capacity + 1
        rows = list(self._row.iter_unpack(raw))
        skip = min(max(0, oldest - first), count)
        for at in range(count - 1, skip - 1, -1):
            if rows[at][0] != first + at + 1:
                skip = at + 1  # Not published as this record: a writer with another history.
                break
        causes = {}
        for at in range(skip, count):
            if rows[at][_KIND_AT] == fmt.Kind.EMPTY:
                found = fmt.CAUSES.unpack_from(raw, at * self.header.record_size + fmt.CAUSES_AT)
                causes[first + at] = (found[:_CAUSE_COUNT], found[_CAUSE_COUNT:])
        return Records(first + skip, rows[skip:], first + skip - sequence, causes)

    def first_completed_since(self, mono_ns: int) -> int:
        """Sequence number of about the first record that completed at ``mono_ns`` or later.

        A bisection: records lie in the order they completed in.
        """
        high = self.head()
        low = max(0, high - self.capacity + 1)
        while low < high:
            middle = (low + high) // 2
            found = self.read(middle, 1)
            if not found.rows or found.first != middle or found.rows[0][3] < mono_ns:
                low = middle + 1
            else:
                high = middle
        return low

    def _records(self, first: int, count: int) -> bytes:
        size = self.header.record_size
        slot = first % self.capacity
        before_end = min(count, self.capacity - slot)
        raw = self._read(self.header.records_offset + slot * size, before_end * size, "records")
        if before_end < count:
            raw += self._read(self.header.records_offset, (count - before_end) * size, "records")
        return raw

    def _locked(self, layout: struct.Struct, offset: int, name: str) -> tuple[Any, ...] | None:
        known = self._blocks.get(offset)
        # Most looks find nothing new, and unpacking 200 numbers costs more than the read.
        if known is not None and self._read(offset, fmt.WORD, name) == known[0]:
            return known[1]
        for _ in range(BLOCK_TRIES):
            raw = self._read(offset, layout.size, name)
            (sequence,) = _WORD.unpack_from(raw)
            if sequence == 0:
                return None
            if sequence % 2 == 0 and self._read(offset, fmt.WORD, name) == raw[: fmt.WORD]:
                self._blocks[offset] = raw[: fmt.WORD], (values := layout.unpack(raw))
                return values
        return None

    def _read(self, offset: int, size: int, name: str) -> bytes:
        try:
            raw = os.pread(self._file, size, offset)
        except OSError as error:
            raise RingFileError(
                self.path, Problem.UNREADABLE, f"{name}: {error.strerror or error}"
            ) from error
        if len(raw) != size:
            raise RingFileError(
                self.path, Problem.TRUNCATED, f"its {name} ends after {len(raw)} of {size} bytes"
            )
        return raw


def _per_group(values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    for at in range(0, len(values), fmt.MAX_GROUPS):
        yield tuple(values[at : at + fmt.MAX_GROUPS])
