"""The log's files: what is written stays, whatever happens to the daemon or to the disk."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from rblntopd.audit import log_file
from rblntopd.audit.log_file import AuditLogError, LogFile, read_backwards, read_lines

CARRY = {"line": "carry"}


def numbered(*numbers):
    return [{"n": number} for number in numbers]


@pytest.fixture
def log(tmp_path):
    log = LogFile(tmp_path / "state", max_bytes=100, kept=3)
    yield log
    log.close()


def test_lines_come_back_in_order_and_backwards(log):
    log.append(numbered(1, 2), CARRY)
    log.append(numbered(3), CARRY)
    assert list(read_lines(log.path)) == numbered(1, 2, 3)
    assert list(read_backwards(log.path)) == numbered(3, 2, 1)


def test_backwards_is_the_reverse_whatever_the_block_size(log, monkeypatch):
    log._max_bytes = 10**6
    lines = [{"n": number, "text": "ü" * number} for number in range(30)]
    log.append(lines, CARRY)
    for size in (1, 2, 7, 64, 5000):
        monkeypatch.setattr(log_file, "_BLOCK", size)
        assert list(read_backwards(log.path)) == lines[::-1]


def test_only_the_owner_can_read_it(log):
    log.append(numbered(1), CARRY)
    assert stat.S_IMODE(os.stat(log.directory).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(log.path).st_mode) == 0o600


def test_half_a_line_of_a_crash_is_skipped_and_the_file_goes_on(log):
    log.append(numbered(1), CARRY)
    with open(log.path, "a") as file:
        file.write('{"n": 2, "te')
    log.append(numbered(3), CARRY)
    log.append(numbered(4), CARRY)
    assert list(read_lines(log.path)) == numbered(1, 3, 4)
    assert list(read_backwards(log.path)) == numbered(4, 3, 1)


def test_a_line_that_is_no_object_is_skipped(log):
    log.append(numbered(1), CARRY)
    log.path.write_bytes(b'[1]\n\xff\xfe\n"text"\n' + b"[" * 100_000 + b"\n" + log.path.read_bytes())
    assert list(read_lines(log.path)) == numbered(1)


def test_full_files_are_rotated_and_the_oldest_goes(log):
    for number in range(60):
        log.append(numbered(number), CARRY)
    files = log.newest_first()
    assert [path.name for path in files] == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    found = [line for path in reversed(files) for line in read_lines(path)]
    assert [line for line in found if line != CARRY] == numbered(*range(60))[-len(found) + 3 :]
    assert all(next(read_lines(path)) == CARRY for path in files)
    assert all(path.stat().st_size <= 120 for path in files)


def test_a_crash_between_two_renames_loses_no_line(log):
    log.append(numbered(1), CARRY)
    log.close()
    os.rename(log.path, log.path.with_name("audit.jsonl.1"))
    again = LogFile(log.directory)
    again.append(numbered(2), CARRY)
    found = [line for path in again.newest_first() for line in read_backwards(path)]
    again.close()
    assert found == numbered(2, 1)


def test_what_a_full_disk_takes_only_half_of_is_taken_back(log, monkeypatch):
    log.append(numbered(1), CARRY)
    real = os.write

    def full(file, data):
        if real(file, data[:3]) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(AuditLogError, match=r"audit\.jsonl cannot be written: No space left on device"):
        log.append(numbered(2), CARRY)
    monkeypatch.undo()
    log.append(numbered(3), CARRY)
    assert log.path.read_text() == '{"n":1}\n{"n":3}\n'


def test_a_line_that_does_not_reach_the_disk_is_taken_back(log, monkeypatch):
    log.append(numbered(1), CARRY)

    def broken(file):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(AuditLogError, match="Input/output error"):
        log.append(numbered(2), CARRY)
    assert log.path.read_text() == '{"n":1}\n'


def test_a_file_that_somebody_removed_is_made_again(log):
    log.append(numbered(1), CARRY)
    log.path.unlink()
    log.append(numbered(2), CARRY)
    assert list(read_lines(log.path)) == numbered(2)


def test_a_second_writer_is_kept_out_and_told_by_whom(log):
    log.append(numbered(1), CARRY)
    second = LogFile(log.directory)
    with pytest.raises(AuditLogError, match=f"rblntopd with pid {os.getpid()} writes it: .* --state-dir"):
        second.append(numbered(2), CARRY)
    log.close()
    second.append(numbered(2), CARRY)
    second.close()


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(AuditLogError, match=r"the audit log .*/file/state/audit\.jsonl cannot be written"):
        LogFile(tmp_path / "file" / "state").open()
