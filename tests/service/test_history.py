"""GetHistory of real daemons: what is seen live, what rings hold of before, and what is not known."""

from __future__ import annotations

import math
import struct
import time

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from rblntop_api.v1 import history_pb2, telemetry_pb2
from rblntopd.probe import ring_format as fmt

NS = 1_000_000_000
#: Where the header has the moment at which the ring was made.
MONO_AT = struct.calcsize("<8sHHI16sQQq")
TOKENS = history_pb2.HISTORY_COLUMN_OUTPUT_TOKENS_PER_SECOND
RUNNING = history_pb2.HISTORY_COLUMN_RUNNING
COVERED = history_pb2.HISTORY_COLUMN_COVERED_SECONDS
GROUP_RUNNING = history_pb2.HISTORY_COLUMN_GROUP_RUNNING
GROUP_BATCH = history_pb2.HISTORY_COLUMN_GROUP_MEAN_DECODE_BATCH


def history(daemon, *columns, **fields):
    for name in ("last", "interval"):
        if name in fields:
            fields[name] = Duration(seconds=fields[name])
    request = telemetry_pb2.GetHistoryRequest(columns=columns, **fields)
    return daemon.telemetry.GetHistory(request, timeout=20)


def known(values):
    return [value for value in values if not math.isnan(value)]


def made_long_ago(engine, seconds):
    """Have the ring of an engine say that it was made so long ago."""
    mono_ns = time.monotonic_ns() - seconds * NS
    assert fmt.Header._fields[8] == "mono_ns"
    engine.overwrite(offset=MONO_AT, text=struct.pack("<Q", mono_ns).hex())


def stepped_long_ago(engine, seconds_ago, **fields):
    """A step that ended in the middle of that second."""
    completed_ns = (time.monotonic_ns() // NS - seconds_ago) * NS + NS // 2
    engine.steps(count=1, scheduled_ns=completed_ns - NS // 100, completed_ns=completed_ns, **fields)


def test_a_running_engine_has_a_past_by_the_second(engine, daemon, until):
    engine.spin(per_second=50)

    def three_seconds():
        answer = history(daemon, TOKENS, RUNNING, GROUP_RUNNING, GROUP_BATCH, last=30)
        return answer if len(known(answer.series[0].values)) >= 3 else None

    answer = until(three_seconds)
    assert (answer.engine, answer.interval.seconds) == ("tiny/0", 1)
    assert 29 <= answer.row_count <= 31
    tokens, running, first, second, *batches = answer.series
    assert all(len(series.values) == answer.row_count for series in answer.series)
    assert 30 < known(tokens.values)[-1] <= 50 * 3 + 3
    assert known(running.values)[-1] == 6
    assert [(series.group, known(series.values)[-1]) for series in (first, second)] == [(0, 3), (1, 3)]
    assert [known(series.values)[-1] for series in batches] == [3, 3]
    # What was before the engine is not known, and not 0.
    assert math.isnan(tokens.values[0])
    assert abs(answer.start.ToNanoseconds() / NS + answer.row_count - time.time()) < 5


def test_every_column_is_there_when_none_is_named(engine, daemon):
    answer = history(daemon, last=10)
    columns = {series.column for series in answer.series}
    assert columns == set(history_pb2.HistoryColumn.values()) - {0}


def test_a_new_daemon_fills_in_what_the_ring_holds(engine, start_daemon, until):
    made_long_ago(engine, 1000)
    for ago in range(900, 300, -1):
        stepped_long_ago(engine, ago, running=5)
    stepped_long_ago(engine, 300, running=5, unfinished=0, finished=3)
    daemon = start_daemon()

    def filled(interval):
        answer = history(daemon, TOKENS, RUNNING, COVERED, GROUP_RUNNING, last=1200, interval=interval)
        return answer if len(known(answer.series[0].values)) * interval > 900 else None

    answer = until(lambda: filled(1))
    tokens, running, covered, *groups = (list(series.values) for series in answer.series)
    # By about now; a second passes now and then.
    now = len(tokens)
    assert tokens[now - 800 : now - 320] == [3.0] * 480
    assert running[now - 800 : now - 320] == [5.0] * 480
    assert covered[now - 800 : now - 320] == [1.0] * 480
    # Idle since then: that is known, too.
    assert tokens[now - 200 : now - 100] == running[now - 200 : now - 100] == [0.0] * 100
    assert all(math.isnan(value) for value in tokens[now - 1190 : now - 1010])
    # Steps do not say of which group the running requests are.
    assert all(math.isnan(value) for group in groups for value in group[now - 800 : now - 320])
    by_ten = filled(10)
    assert list(by_ten.series[0].values)[-80:-33] == [3.0] * 47


def test_history_goes_on_when_an_engine_is_restarted(start_engine, start_daemon, until):
    first = start_engine()
    made_long_ago(first, 400)
    for ago in range(300, 200, -1):
        stepped_long_ago(first, ago)
    daemon = start_daemon()
    until(lambda: known(history(daemon, TOKENS, last=300).series[0].values))
    first.kill()
    second = start_engine()
    second.spin(per_second=50)

    def both():
        answer = history(daemon, TOKENS, last=320)
        return answer if answer.restarts and known(answer.series[0].values)[-1] > 3.5 else None

    answer = until(both)
    (restart,) = answer.restarts
    assert restart.instance_id == second.instance_id
    assert abs(restart.time.ToNanoseconds() / NS - time.time()) < 60
    assert list(answer.series[0].values)[40:100] == [3.0] * 60


def test_an_engine_that_is_away_has_no_figures(engine, daemon, until):
    engine.spin(per_second=50)
    until(lambda: known(history(daemon, TOKENS, last=30).series[0].values))
    engine.kill()
    until(lambda: math.isnan(history(daemon, TOKENS, last=30).series[0].values[-1]))
    assert known(history(daemon, TOKENS, last=30).series[0].values)


def test_the_daemon_chooses_an_interval_for_a_number_of_rows(engine, daemon):
    for last, points, interval in ((3600, 240, 15), (3600, 60, 60), (86_400, 240, 360), (30, 30, 1)):
        answer = history(daemon, RUNNING, last=last, max_points=points)
        assert answer.interval.seconds == interval
        assert answer.row_count <= points


def test_a_span_may_be_given_by_its_ends(engine, daemon):
    now_ns = time.time_ns()
    answer = history(
        daemon,
        RUNNING,
        since=Timestamp(seconds=now_ns // NS - 100),
        until=Timestamp(seconds=now_ns // NS - 40),
        interval=20,
    )
    assert answer.row_count in (3, 4)
    assert 0 <= now_ns / NS - 100 - answer.start.ToNanoseconds() / NS < 21


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"last": 0}, "last=0 s: allowed is 1 s..86400 s"),
        ({"last": 86_401}, "last=86401 s: allowed is 1 s..86400 s"),
        ({"interval": 0}, "interval=0 s: allowed is whole seconds, 1 s..86400 s"),
        (
            {"last": 7200, "interval": 15},
            "interval=15 s: allowed is 10 s..86400 s in steps of 10 s: seconds are kept for an hour",
        ),
        ({"max_points": 0}, "max_points=0: allowed is 1..8640"),
        ({"max_points": 8641}, "max_points=8641: allowed is 1..8640"),
        (
            {"since": Timestamp(seconds=2**33)},
            "since=2242-03-16T12:56:32Z: allowed is a span that begins before it ends, and before now",
        ),
        (
            {"until": Timestamp(seconds=10)},
            "until=1970-01-01T00:00:10Z: allowed is within the last 86400 s: no more is kept",
        ),
    ],
)
def test_a_field_that_cannot_be_is_refused(engine, daemon, fields, text):
    with pytest.raises(grpc.RpcError) as caught:
        history(daemon, **fields)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, text)


def test_a_column_that_does_not_exist_is_refused(engine, daemon):
    with pytest.raises(grpc.RpcError) as caught:
        history(daemon, 99)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details().startswith(
        "columns=99: allowed is HISTORY_COLUMN_ and one of OUTPUT_TOKENS"
    )


def test_an_unknown_engine_is_not_found(engine, daemon):
    with pytest.raises(grpc.RpcError) as caught:
        history(daemon, engine="nobody")
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND
