"""Append-only files of JSON lines: on the disk before a call returns, and whole after a crash."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Line: TypeAlias = dict[str, Any]

NAME = "audit.jsonl"
#: About 20,000 changes a file.
MAX_BYTES = 16 * 1024 * 1024
KEPT_FILES = 8
_BLOCK = 64 * 1024


class AuditLogError(OSError):
    """A line could not be written; the message says why and what to do."""


class LogFile:
    """The log's files in one directory, which only one daemon writes.

    ``audit.jsonl`` is written, ``audit.jsonl.1`` is the one before it. Every call may block on the disk.
    """

    def __init__(self, directory: Path, max_bytes: int = MAX_BYTES, kept: int = KEPT_FILES) -> None:
        self.directory = directory
        self.path = directory / NAME
        self._max_bytes = max_bytes
        self._kept = kept
        self._file = -1
        self._lock = -1

    def open(self) -> None:
        """Make the directory, keep other daemons out, and open the newest file. Opening twice is allowed.

        Raises:
            AuditLogError: another daemon has it, or it cannot be written.
        """
        if self._file >= 0 and os.fstat(self._file).st_nlink:
            return
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._take_lock()
            if self._file >= 0:
                os.close(self._file)  # Somebody removed it.
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise _wrapped(self.path, error) from error

    def append(self, lines: Sequence[Line], carry: Line) -> None:
        """Write all lines, or none, and wait until they are on the disk.

        Args:
            lines: what to write.
            carry: the first line of a new file, should one be begun: what a reader must know of older files.

        Raises:
            AuditLogError: they could not be written.
        """
        self.open()
        data = b"".join(map(_encoded, lines))
        try:
            size = os.fstat(self._file).st_size
            if size and size + len(data) > self._max_bytes:
                self._rotate(carry)
                size = os.fstat(self._file).st_size
            # A crash may have left half a line: it stays, ended, and readers skip it.
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                data = b"\n" + data
            self._write(data, size)
        except OSError as error:
            raise _wrapped(self.path, error) from error

    def newest_first(self) -> list[Path]:
        """The files there are, the newest first; after a crash a number may be missing."""
        older = [self._numbered(number) for number in range(1, self._kept)]
        return [path for path in (self.path, *older) if path.exists()]

    def close(self) -> None:
        """Let go of the files and let the next daemon in."""
        for file in (self._file, self._lock):
            if file >= 0:
                os.close(file)
        self._file = self._lock = -1

    def _write(self, data: bytes, size: int) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
            os.fdatasync(self._file)
        except OSError:
            # What is there of it must not look like something that was asked for.
            os.ftruncate(self._file, size)
            raise

    def _rotate(self, carry: Line) -> None:
        """Begin a new file. At no moment is a line in none of them."""
        self._numbered(self._kept - 1).unlink(missing_ok=True)
        new = self.path.with_name(f"{NAME}.new")
        new.unlink(missing_ok=True)
        file = os.open(new, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, _encoded(carry))
            os.fsync(file)
            for number in range(self._kept - 2, 0, -1):
                if self._numbered(number).exists():
                    os.rename(self._numbered(number), self._numbered(number + 1))
            os.rename(self.path, self._numbered(1))
            os.rename(new, self.path)
        except OSError:
            os.close(file)
            raise
        os.close(self._file)
        self._file = file
        directory = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(directory)
        os.close(directory)

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{NAME}.{number}")

    def _take_lock(self) -> None:
        if self._lock >= 0:
            return
        lock = os.open(
            self.directory / "audit.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode(errors="replace").strip()
            os.close(lock)
            raise OSError(
                0, f"rblntopd with pid {holder or 'unknown'} writes it: give this one another --state-dir"
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        self._lock = lock


def read_lines(path: Path) -> Iterator[Line]:
    """Whole lines, oldest first. What is no JSON object, a half-written line among it, is left out."""
    with open(path, "rb") as file:
        yield from _decoded(file)


def read_backwards(path: Path) -> Iterator[Line]:
    """Whole lines, newest first."""
    with open(path, "rb") as file:
        at, rest = file.seek(0, os.SEEK_END), b""
        while at:
            begin = max(0, at - _BLOCK)
            file.seek(begin)
            parts = (file.read(at - begin) + rest).split(b"\n")
            # The first part is whole only at the file's beginning.
            rest, at = parts[0], begin
            yield from _decoded(reversed(parts[1:] if begin else parts))


def _decoded(raw_lines: Iterable[bytes]) -> Iterator[Line]:
    for raw in raw_lines:
        try:
            line = json.loads(raw)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict):
            yield line


def _encoded(line: Line) -> bytes:
    return json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode(errors="replace") + b"\n"


def _wrapped(path: Path, error: OSError) -> AuditLogError:
    return AuditLogError(f"the audit log {path} cannot be written: {error.strerror or error}")
