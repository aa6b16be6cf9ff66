"""What of the audit log is in the daemon's own log as well."""

from __future__ import annotations

import logging

import pytest

from rblntopd.audit.told import tell

DONE = {
    "line": "done",
    "engine": "x/0",
    "instance": "i",
    "action": "SET",
    "caller": {"name": "uid 0 (root)", "verified": True},
    "change_id": "c",
    "values": [{"kind": "max_num_seqs", "old": 8, "new": 4}, {"kind": "group_cap", "group": 1, "new": 2}],
    "reason": "nightly",
}


def test_a_change_is_one_line_with_who_and_what_and_why(caplog):
    caplog.set_level(logging.INFO)
    tell(DONE)
    (record,) = caplog.records
    assert record.getMessage() == (
        "engine x/0: SET done, by uid 0 (root): max_num_seqs 8 -> 4, group_cap[1] unset -> 2: nightly"
    )
    assert record.levelname == "INFO"
    assert record.fields == {
        "engine": "x/0", "instance": "i", "action": "SET", "change_id": "c", "caller": "uid 0 (root)",
        "result": "done",
    }  # fmt: skip


@pytest.mark.parametrize("line", ["refused", "unknown"])
def test_what_was_not_done_is_a_warning_with_why(caplog, line):
    tell({**DONE, "line": line, "detail": "a trial is pending"})
    assert caplog.records[0].levelname == "WARNING"
    assert ": a trial is pending: nightly" in caplog.records[0].getMessage()


@pytest.mark.parametrize(
    "line", [{"line": "intent"}, {"line": "several"}, {"line": "done", "action": "START"}]
)
def test_steps_on_the_way_are_not_told(caplog, line):
    caplog.set_level(logging.DEBUG)
    tell(line)
    assert not caplog.records
