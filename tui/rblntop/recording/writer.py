"""Appends blocks to a recording. What was written stays readable, whatever happens next."""

from __future__ import annotations

import os
from pathlib import Path

from rblntop.recording.block_index import BlockIndex
from rblntop.recording.errors import RecordingError, from_os
from rblntop.recording.file_lock import lock
from rblntop.recording.frame import BlockKind, file_header, pack_block


class FullError(Exception):
    """The next block would make the file larger than it may be."""


class RecordingWriter:
    """One open recording at its end. A block is there as a whole or not at all."""

    def __init__(self, path: Path, file: int, size: int, max_bytes: int) -> None:
        self.path = path
        self._file = file
        self.size = size
        """Bytes written so far."""
        self.max_bytes = max_bytes

    @classmethod
    def create(cls, path: Path, max_bytes: int) -> RecordingWriter:
        """Begin a new recording.

        Raises:
            RecordingError: the file is there already, or cannot be made.
        """
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            raise RecordingError(
                path, "is there already: --append goes on with it, or choose another name"
            ) from None
        except OSError as error:
            raise from_os(path, error) from error
        writer = cls(path, file, 0, max_bytes)
        try:
            lock(file)
            writer._write(file_header())
        except OSError as error:
            raise from_os(path, error) from error
        return writer

    @classmethod
    def append_to(cls, path: Path, max_bytes: int) -> RecordingWriter:
        """Go on with a recording; what a crash left of its last block is cut off. A new one if there is none.

        Raises:
            RecordingError: it is no recording of this version, or somebody else is writing it.
        """
        try:
            file = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except FileNotFoundError:
            return cls.create(path, max_bytes)
        except OSError as error:
            raise from_os(path, error) from error
        try:
            if not lock(file):
                raise RecordingError(path, "is being written by another process")
            index = BlockIndex(path, file)
            index.scan()
            os.ftruncate(file, index.end)
        except OSError as error:
            os.close(file)
            raise from_os(path, error) from error
        except BaseException:
            os.close(file)
            raise
        return cls(path, file, index.end, max_bytes)

    def append(
        self, kind: BlockKind, content: bytes, *, items: int = 1, first_ns: int, last_ns: int | None = None
    ) -> None:
        """Write a block.

        Raises:
            FullError: it would not fit into ``max_bytes``; nothing was written.
            RecordingError: it could not be written; the file ends with the block before.
        """
        last_ns = first_ns if last_ns is None else last_ns
        block = pack_block(kind, content, items=items, first_ns=_signed(first_ns), last_ns=_signed(last_ns))
        if self.size + len(block) > self.max_bytes:
            raise FullError
        self._write(block)

    def close(self) -> None:
        """Have all of it on the disk, and let go of the file. Closing twice is allowed."""
        if self._file >= 0:
            try:
                os.fdatasync(self._file)
            except OSError as error:
                raise from_os(self.path, error) from error
            finally:
                os.close(self._file)
                self._file = -1

    def _write(self, data: bytes) -> None:
        written = 0
        try:
            while written < len(data):
                written += os.pwrite(self._file, data[written:], self.size + written)
        except OSError as error:
            os.ftruncate(self._file, self.size)
            raise from_os(self.path, error) from error
        self.size += len(data)


def _signed(time_ns: int) -> int:
    """A time that fits, whatever a foreign clock said."""
    return min(max(time_ns, -(1 << 63)), (1 << 63) - 1)
