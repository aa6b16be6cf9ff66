"""Writes the flight recorder: one file, one writer, mapped memory whose space is really there."""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import struct
import threading
import time
from pathlib import Path
from typing import Any

from rblntopd.probe import ring_format as fmt
from rblntopd.probe.ring_format import Live

_WORD = fmt.WORD
_RECORD_WORDS = fmt.RECORD_SIZE // fmt.WORD
_STEP_SIZE = fmt.STEP.size
_COMPLETED_WORD = 3
"""Word of the completed time in a record: sequence, step, scheduled, completed."""
_END = struct.Struct("<HI")
_END_OFFSET = struct.calcsize("<QQQIIIIIIHHHHHHH")
"""Where finished and unfinished lie in ``ring_format.STEP``."""


class RingError(OSError):
    """A ring file could not be made; the message says why and what would help."""


class RingWriter:
    """The only writer of one ring file.

    A record is committed as: payload, fence, sequence; the sequence word of the slot to be written next is
    made invalid before that same fence, so that one fence orders both. The words are stored through a
    ``memoryview`` of format ``Q``, because ``struct`` writes byte by byte; the fence is the acquire and
    release of a lock, because CPython promises no memory order by itself (vLLM's own shared memory ring
    needed the same, vllm#30407).
    """

    def __init__(self, path: Path, file: int, mapping: mmap.mmap, capacity: int) -> None:
        self.path = path
        self._file = file
        self._map = mapping
        self._view = memoryview(mapping)
        self._words = self._view.cast("Q")
        self._capacity = capacity
        self._head = 0
        lock = threading.Lock()
        lock.acquire()
        # In this order: a release followed by an acquire lets nothing pass either way.
        self._fence_in, self._fence_out = lock.release, lock.acquire
        # Plain ints and bound methods: enum members and attribute chains cost on the engine's thread.
        self._live_word = fmt.LIVE_OFFSET // fmt.WORD
        self._head_word = self._live_word + int(Live.HEAD)
        self._pack_step = fmt.STEP.pack_into
        self._pack_end = _END.pack_into
        self._at = fmt.RECORDS_OFFSET // _WORD
        self._next_at = self._at

    @classmethod
    def create(
        cls,
        path: Path,
        description: dict[str, Any],
        *,
        boot_id: str,
        start_ticks: int,
        in_flight_slots: int,
        capacity: int = fmt.DEFAULT_CAPACITY,
        mode: int = 0o640,
        head: int = 0,
    ) -> RingWriter:
        """Make the file, with all its space allocated, and lock it as a sign of life.

        ``head`` goes on counting where an earlier file of the same engine stopped.

        The file appears under its name only when it is complete, so that a reader never sees half a header.

        Raises:
            RingError: the description is too large, or the file cannot be made, allocated or mapped.
        """
        text = json.dumps(description, ensure_ascii=False).encode()
        if len(text) > fmt.DESCRIPTION_SIZE:
            raise RingError(f"engine description of {len(text)} bytes, at most {fmt.DESCRIPTION_SIZE} fit")
        size = fmt.file_size(capacity)
        temporary = path.with_name(f".{path.name}.new")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        temporary.unlink(missing_ok=True)
        file = os.open(temporary, flags, 0o600)
        try:
            os.posix_fallocate(file, 0, size)
            os.fchmod(file, mode)
            # A POSIX lock dies with the process and, unlike flock, is not kept alive by forked children.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mapping = mmap.mmap(file, size)
        except OSError as error:
            os.close(file)
            temporary.unlink(missing_ok=True)
            raise RingError(
                f"{path.parent}: {size} bytes for {path.name}: {error.strerror or error}"
            ) from error
        header = fmt.Header(
            fmt.MAGIC, fmt.MAJOR, fmt.MINOR, fmt.HEADER_SIZE, bytes.fromhex(boot_id.replace("-", "")),
            os.getpid(), start_ticks, time.time_ns(), time.monotonic_ns(),
            fmt.DESCRIPTION_OFFSET, fmt.DESCRIPTION_SIZE, fmt.LIVE_OFFSET, fmt.LIVE_SIZE,
            fmt.IN_FLIGHT_OFFSET, fmt.IN_FLIGHT_SIZE, fmt.SAMPLE_OFFSET, fmt.SAMPLE_SIZE,
            fmt.LIMITS_OFFSET, fmt.LIMITS_SIZE, fmt.RECORDS_OFFSET, fmt.RECORD_SIZE, capacity,
            fmt.JOURNAL_OFFSET, fmt.JOURNAL_ENTRY_SIZE, fmt.JOURNAL_CAPACITY,
            fmt.REQUESTS_OFFSET, fmt.REQUEST.size, fmt.MAX_REQUESTS,
        )  # fmt: skip
        fmt.HEADER_FIXED.pack_into(mapping, 0, *header)
        mapping[fmt.DESCRIPTION_OFFSET : fmt.DESCRIPTION_OFFSET + len(text)] = text
        ring = cls(path, file, mapping, capacity)
        ring.continue_from(head)
        ring.set_live(Live.IN_FLIGHT_SLOTS, in_flight_slots)
        os.rename(temporary, path)
        return ring

    def continue_from(self, head: int) -> None:
        """Go on counting where an earlier file of the same engine stopped."""
        self._head = head
        self._next_at = self._at + head % self._capacity * _RECORD_WORDS
        self._words[self._head_word] = head

    @property
    def head(self) -> int:
        """Records published so far."""
        return self._head

    @property
    def vanished(self) -> bool:
        """Whether the file no longer has its name: somebody cleaned the directory."""
        return os.fstat(self._file).st_nlink == 0

    def set_live(self, word: int, value: int) -> None:
        """Publish one word of the live block; ``word`` is a :class:`ring_format.Live`."""
        self._words[self._live_word + word] = value

    def set_fault(self, text: str) -> None:
        """Say why the probe switched itself off."""
        raw = text.encode(errors="replace")[: fmt.FAULT_SIZE]
        self._view[fmt.FAULT_OFFSET : fmt.FAULT_OFFSET + len(raw)] = raw
        self.set_live(Live.FAULT_LENGTH, len(raw))
        self.set_live(Live.STATE, fmt.ProbeState.FAULTED)

    def publish(self, step: tuple[Any, ...]) -> None:
        """Commit one record; ``step`` has the fields of :class:`ring_format.Step` in order."""
        words = self._words
        at = self._next_at
        self._pack_step(self._map, at * _WORD + _WORD, *step)
        self._head = head = self._head + 1
        self._next_at = following = at + _RECORD_WORDS if head % self._capacity else self._at
        words[following] = 0
        self._fence_in()
        self._fence_out()
        words[at] = head
        words[self._head_word] = head

    def publish_packed(self, record: bytes, completed_ns: int, finished: int, unfinished: int) -> None:
        """Commit a record that was packed when its batch was scheduled, with what is known of its end."""
        words = self._words
        at = self._next_at
        offset = at * _WORD + _WORD
        self._map[offset : offset + _STEP_SIZE] = record
        words[at + _COMPLETED_WORD] = completed_ns
        self._pack_end(self._map, offset + _END_OFFSET, finished, unfinished)
        self._head = head = self._head + 1
        self._next_at = following = at + _RECORD_WORDS if head % self._capacity else self._at
        words[following] = 0
        self._fence_in()
        self._fence_out()
        words[at] = head
        words[self._head_word] = head

    def publish_empty(self, step: tuple[Any, ...], counts: list[int], slot_us: list[int]) -> None:
        """Commit a run of empty steps with its causes, in the order of :class:`ring_format.EmptyCause`."""
        fmt.CAUSES.pack_into(self._map, self._next_at * _WORD + fmt.CAUSES_AT, *counts, *slot_us)
        self.publish(step)

    def write_in_flight(self, batches: list[fmt.InFlight]) -> None:
        """Rewrite the table of batches in flight; entries beyond ``batches`` become free."""
        for slot in range(int(self._words[self._live_word + Live.IN_FLIGHT_SLOTS])):
            offset = fmt.IN_FLIGHT_OFFSET + slot * fmt.IN_FLIGHT_SIZE
            self._words[offset // _WORD] = 0
            if slot < len(batches):
                self._fence()
                fmt.IN_FLIGHT.pack_into(self._map, offset, 0, *batches[slot][1:])
                self._fence()
                self._words[offset // _WORD] = batches[slot].step

    def write_sample(self, sample: fmt.Sample) -> None:
        """Rewrite the sample block."""
        *scalars, running = sample
        padding = [0] * (fmt.MAX_GROUPS - len(running))
        self._write_locked(fmt.SAMPLE, fmt.SAMPLE_OFFSET, (*scalars, *running, *padding))

    def write_limits(self, limits: fmt.Limits) -> None:
        """Rewrite the limits block."""
        *scalars, targets, effective, excess, revert = limits
        padded: list[int] = []
        for values in (targets, effective, excess, revert):
            padded += [*values, *[0] * (fmt.MAX_GROUPS - len(values))]
        self._write_locked(fmt.LIMITS, fmt.LIMITS_OFFSET, (*scalars, *padded))

    def write_journal(self, entry: fmt.JournalEntry) -> None:
        """Add one entry to the journal, which keeps the latest."""
        *scalars, old_caps, new_caps = entry
        padded: list[int] = []
        for values in (old_caps, new_caps):
            padded += [*values, *[0] * (fmt.MAX_GROUPS - len(values))]
        head_word = self._live_word + int(Live.JOURNAL_HEAD)
        number = self._words[head_word]
        offset = fmt.JOURNAL_OFFSET + number % fmt.JOURNAL_CAPACITY * fmt.JOURNAL_ENTRY_SIZE
        self._words[offset // _WORD] = 0
        self._fence()
        fmt.JOURNAL.pack_into(self._map, offset, 0, *scalars, *padded)
        self._fence()
        self._words[offset // _WORD] = number + 1
        self._words[head_word] = number + 1

    def write_requests(self, mono_ns: int, real_ns: int, step: int, total: int, rows: list[bytes]) -> None:
        """Rewrite the table of requests; ``rows`` are packed, and of ``total`` requests."""
        offset = fmt.REQUESTS_OFFSET
        begin = offset + fmt.REQUESTS.size
        # All that takes long is done before the table begins to change.
        packed = b"".join(rows[: fmt.MAX_REQUESTS])
        at = offset // _WORD
        sequence = self._words[at]
        self._words[at] = sequence + 1
        self._fence()
        count = len(packed) // fmt.REQUEST.size
        fmt.REQUESTS.pack_into(self._map, offset, sequence + 1, mono_ns, real_ns, step, total, count)
        self._map[begin : begin + len(packed)] = packed
        self._fence()
        self._words[at] = sequence + 2

    def take_journal(self, old: RingWriter) -> None:
        """Go on with the journal of an earlier file of the same engine."""
        section = slice(
            fmt.JOURNAL_OFFSET, fmt.JOURNAL_OFFSET + fmt.JOURNAL_ENTRY_SIZE * fmt.JOURNAL_CAPACITY
        )
        self._map[section] = old._map[section]
        head_word = self._live_word + int(Live.JOURNAL_HEAD)
        self._words[head_word] = old._words[head_word]

    def _write_locked(self, layout: struct.Struct, offset: int, values: tuple[Any, ...]) -> None:
        """Sequence lock: odd while the block changes, even again when it is whole."""
        at = offset // _WORD
        sequence = self._words[at]
        self._words[at] = sequence + 1
        self._fence()
        layout.pack_into(self._map, offset, sequence + 1, *values)
        self._fence()
        self._words[at] = sequence + 2

    def _fence(self) -> None:
        self._fence_in()
        self._fence_out()

    def close(self, state: fmt.ProbeState = fmt.ProbeState.CLOSED) -> None:
        """Say that the engine ended in order, and let go of the file. It stays for reading."""
        if self._map.closed:
            return
        if self._words[self._live_word + Live.STATE] != fmt.ProbeState.FAULTED:
            self.set_live(Live.STATE, state)
        self._words.release()
        self._view.release()
        self._map.close()
        os.close(self._file)
