"""Opening a ring file that somebody else wrote: what is checked before a byte of it is believed."""

from __future__ import annotations

import enum
import os
import stat
from pathlib import Path

from rblntopd.probe import ring_format as fmt
from rblntopd.probe.runtime_dir import is_trusted

#: What a sane ring can have at most. A header is foreign input: nothing is allocated on its word alone.
MAX_DESCRIPTION_BYTES = 1 << 20
MAX_RECORD_BYTES = 4096
MAX_RING_BYTES = 1 << 30
MAX_ENTRY_BYTES = 1024
MAX_JOURNAL_ENTRIES = 65_536
MAX_REQUEST_ROWS = 10_000


class Problem(enum.Enum):
    """What is wrong with a file that should be a ring."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    NOT_A_FILE = "not a regular file"
    UNTRUSTED = "untrusted"
    TRUNCATED = "truncated"
    NOT_A_RING = "not a ring"
    OTHER_VERSION = "other version"
    CORRUPT = "corrupt"


class RingFileError(Exception):
    """A file cannot be read as a ring; the message names the file and says why."""

    def __init__(self, path: Path, problem: Problem, text: str) -> None:
        super().__init__(f"{path}: {text}")
        self.path = path
        self.problem = problem
        self.text = text


def open_ring(path: Path) -> tuple[int, fmt.Header]:
    """A read-only file descriptor of the ring at ``path``, and its checked header.

    Raises:
        RingFileError: it is missing, no regular file, not to be trusted, truncated, no ring, of another
            major version, or its header contradicts itself.
    """
    # O_NONBLOCK: opening a FIFO that somebody put there must not wait for its other end.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        if stat.S_ISLNK(os.lstat(path).st_mode):
            raise RingFileError(path, Problem.NOT_A_FILE, "is a symbolic link, which is not followed")
        file = os.open(path, flags)
    except FileNotFoundError as error:
        raise RingFileError(path, Problem.MISSING, "is not there") from error
    except OSError as error:
        raise RingFileError(path, Problem.UNREADABLE, error.strerror or str(error)) from error
    try:
        return file, _checked_header(path, file)
    except OSError as error:
        # Its directory may have gone meanwhile.
        os.close(file)
        raise RingFileError(path, Problem.UNREADABLE, error.strerror or str(error)) from error
    except BaseException:
        os.close(file)
        raise


def _checked_header(path: Path, file: int) -> fmt.Header:
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode):
        raise RingFileError(path, Problem.NOT_A_FILE, "is not a regular file")
    if not is_trusted(found, os.stat(path.parent)):
        raise RingFileError(
            path,
            Problem.UNTRUSTED,
            f"belongs to uid {found.st_uid}, gid {found.st_gid}: only files of root, of uid {os.geteuid()} "
            "and of the group of a directory that root shares are read",
        )
    raw = os.pread(file, fmt.HEADER_FIXED.size, 0)
    if len(raw) < fmt.HEADER_FIXED.size:
        raise RingFileError(
            path, Problem.TRUNCATED, f"has {len(raw)} bytes, a ring's header has {fmt.HEADER_FIXED.size}"
        )
    header = fmt.Header(*fmt.HEADER_FIXED.unpack(raw))
    if header.magic != fmt.MAGIC:
        raise RingFileError(path, Problem.NOT_A_RING, f"is not a ring file: it starts with {header.magic!r}")
    if header.major != fmt.MAJOR:
        raise RingFileError(
            path,
            Problem.OTHER_VERSION,
            f"ring format {header.major}.{header.minor}, this side reads {fmt.MAJOR}.x: "
            f"{_what_to_update(header.major)}",
        )
    _check_layout(path, header, found.st_size)
    return header


def _what_to_update(major: int) -> str:
    return "restart the engine to update its probe" if major < fmt.MAJOR else "update rblntop here"


def _check_layout(path: Path, header: fmt.Header, file_bytes: int) -> None:
    """Every section is at least as large as this version needs it, sanely bounded and inside the file."""

    def corrupt(text: str) -> RingFileError:
        return RingFileError(path, Problem.CORRUPT, f"corrupt header: {text}")

    if not fmt.HEADER_FIXED.size <= header.header_size <= MAX_DESCRIPTION_BYTES:
        raise corrupt(f"header of {header.header_size} bytes")
    if not fmt.RECORD_SIZE <= header.record_size <= MAX_RECORD_BYTES or header.record_size % fmt.WORD:
        raise corrupt(f"records of {header.record_size} bytes")
    if not 2 <= header.record_capacity <= MAX_RING_BYTES // header.record_size:
        raise corrupt(f"room for {header.record_capacity} records")
    if not fmt.IN_FLIGHT_SIZE <= header.in_flight_entry_size <= MAX_ENTRY_BYTES:
        raise corrupt(f"in-flight entries of {header.in_flight_entry_size} bytes")
    if not fmt.JOURNAL.size <= header.journal_entry_size <= MAX_ENTRY_BYTES:
        raise corrupt(f"journal entries of {header.journal_entry_size} bytes")
    if not 1 <= header.journal_capacity <= MAX_JOURNAL_ENTRIES:
        raise corrupt(f"a journal of {header.journal_capacity} entries")
    has_requests = header.requests_offset > 0
    if has_requests and not fmt.REQUEST.size <= header.request_size <= MAX_ENTRY_BYTES:
        raise corrupt(f"request rows of {header.request_size} bytes")
    if has_requests and not 1 <= header.request_capacity <= MAX_REQUEST_ROWS:
        raise corrupt(f"a table of {header.request_capacity} requests")
    requests_bytes = fmt.REQUESTS.size + header.request_size * header.request_capacity
    table_bytes = header.in_flight_entry_size * fmt.MAX_IN_FLIGHT
    records_bytes = header.record_size * header.record_capacity
    sections = [
        ("description", header.description_offset, header.description_size, 2),
        ("live block", header.live_offset, header.live_size, fmt.LIVE_SIZE),
        ("in-flight table", header.in_flight_offset, table_bytes, 0),
        ("sample block", header.sample_offset, header.sample_size, fmt.SAMPLE.size),
        ("limits block", header.limits_offset, header.limits_size, fmt.LIMITS.size),
        ("journal", header.journal_offset, header.journal_entry_size * header.journal_capacity, 0),
        ("records", header.records_offset, records_bytes, 0),
    ]
    if has_requests:
        sections.append(("request table", header.requests_offset, requests_bytes, 0))
    for name, offset, size, least in sections:
        if offset < header.header_size or offset % fmt.WORD:
            raise corrupt(f"{name} at byte {offset}")
        if size < least or (
            name not in ("records", "journal", "request table") and size > MAX_DESCRIPTION_BYTES
        ):
            raise corrupt(f"{name} of {size} bytes")
        if offset + size > file_bytes:
            raise RingFileError(
                path,
                Problem.TRUNCATED,
                f"has {file_bytes} bytes, its {name} would end at byte {offset + size}",
            )
