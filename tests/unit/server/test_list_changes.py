"""ListChanges tells what it can read, whatever else is in the log."""

from __future__ import annotations

import pytest

from rblntop_api.v1 import control_pb2
from rblntopd.audit.log import AuditLog
from rblntopd.server.list_changes import list_changes

GOOD = (
    '{"line":"refused","time":"2026-11-21T06:00:00.000000Z","engine":"tiny/0","action":"SET",'
    '"caller":{"name":"ops","verified":true},"detail":"no"}'
)


@pytest.mark.parametrize(
    "damaged",
    [
        '{"line":"done"}',
        '{"line":["done"],"time":"2026-11-21T06:00:00Z"}',
        '{"line":"intent","id":[1]}',
        '{"line":"done","intent":{},"time":"2026-11-21T06:00:00Z"}',
        '{"line":"done","time":"yesterday","engine":"tiny/0"}',
        '{"line":"done","time":"2026-11-21T06:00:00Z","engine":5}',
        '{"line":"refused","time":"2026-11-21T06:00:00Z","caller":null}',
        '{"line":"done","time":"2026-11-21T06:00:00Z","values":[{"kind":"speed"}]}',
        '{"line":"done","time":"2026-11-21T06:00:00Z","values":7}',
        '{"line":"done","time":"2026-11-21T06:00:00Z","mode":[1]}',
        '{"line":"done","time":"2026-11-21T06:00:00Z","generation":-5}',
        '{"line":"done","time":"2026-11-21T06:00:00Z","ttl_ms":"long"}',
    ],
)
async def test_a_damaged_line_hides_no_other(tmp_path, damaged):
    (tmp_path / "audit.jsonl").write_text(f"{GOOD}\n{damaged}\n{GOOD}\n")
    log = AuditLog(tmp_path, list)
    try:
        answer = await list_changes(log, control_pb2.ListChangesRequest())
    finally:
        log._files.close()
        log._writer.shutdown()
    assert [change.detail for change in answer.changes] == ["no", "no"]
