"""Log lines: entries of the journal with priority and fields, or lines on standard error."""

from __future__ import annotations

import logging
import os
import socket
import struct

import pytest

from rblntopd.server.journal import JournalHandler, priority
from rblntopd.server.log_output import PrefixFormatter, is_read_by_journal


@pytest.fixture
def journal(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "journal"))
        listening.settimeout(30)
        yield listening


@pytest.fixture
def handler(journal, tmp_path):
    handler = JournalHandler(tmp_path / "journal")
    yield handler
    handler.close()


def record(text, level=logging.INFO, **more):
    made = logging.LogRecord("rblntopd.test", level, __file__, 1, text, (), None)
    made.__dict__.update(more)
    return made


def entry(journal):
    """The fields of the next entry, read as the journal reads them."""
    data, fields = journal.recv(1 << 20), {}
    while data:
        name, _, rest = data.partition(b"\n")
        if b"=" in name:
            name, _, value = name.partition(b"=")
            data = rest
        else:
            (size,) = struct.unpack("<Q", rest[:8])
            value, data = rest[8 : 8 + size], rest[9 + size :]
        fields[name.decode()] = value.decode()
    return fields


def test_an_event_is_an_entry_with_priority_and_fields(handler, journal):
    handler.emit(record("engine x is gone", logging.WARNING, fields={"engine": "x", "pid": 7}))
    assert entry(journal) == {
        "MESSAGE": "engine x is gone",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "rblntopd",
        "LOGGER": "rblntopd.test",
        "RBLNTOP_ENGINE": "x",
        "RBLNTOP_PID": "7",
    }


def test_a_text_of_several_lines_is_one_entry_and_forges_no_field(handler, journal):
    handler.emit(record("first\nPRIORITY=0\nthird", fields={"engine": "a\nMESSAGE=forged"}))
    found = entry(journal)
    assert found["MESSAGE"] == "first\nPRIORITY=0\nthird"
    assert found["PRIORITY"] == "6"
    assert found["RBLNTOP_ENGINE"] == "a\nMESSAGE=forged"


def test_a_journal_that_takes_nothing_is_not_waited_for_and_told_later(handler, journal):
    # Until the socket is full: nobody reads it.
    sent = 0
    while not handler._lost:
        handler.emit(record("x"))
        sent += 1
    handler.emit(record("lost, too"))
    for _ in range(sent - 1):
        assert entry(journal)["MESSAGE"] == "x"
    handler.emit(record("again"))
    assert entry(journal)["MESSAGE"] == "again (2 lines before this were lost: the journal took none)"
    handler.emit(record("and on"))
    assert entry(journal)["MESSAGE"] == "and on"


def test_without_a_journal_there_is_no_handler(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        JournalHandler(tmp_path / "none")


@pytest.mark.parametrize(("level", "number"), [(50, 3), (40, 3), (30, 4), (20, 6), (10, 7), (5, 7)])
def test_priorities(level, number):
    assert priority(level) == number


def test_a_pipe_to_the_journal_has_the_priority_before_each_line():
    assert PrefixFormatter("%(message)s").format(record("a\nb", logging.ERROR)) == "<3>a\n<3>b"


def test_the_journal_reads_what_systemd_connected_to_it(tmp_path):
    with open(tmp_path / "log", "w") as file:
        found = os.fstat(file.fileno())
        stream = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert is_read_by_journal(file.fileno(), stream)
        # A daemon whose output was sent elsewhere inherits the variable all the same.
        assert not is_read_by_journal(file.fileno(), {"JOURNAL_STREAM": "1:2"})
        assert not is_read_by_journal(file.fileno(), {})
