"""WatchEvents of real daemons: what happens to engines and limits, with what a program needs to know."""

from __future__ import annotations

import threading

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from tests.service.conversation import cancel, close, max_num_seqs, open_again, reset, set_limits

from rblntop_api.v1 import control_pb2, event_pb2, telemetry_pb2

INFO, WATCH, ACT = (
    event_pb2.EVENT_SEVERITY_INFO,
    event_pb2.EVENT_SEVERITY_WATCH,
    event_pb2.EVENT_SEVERITY_ACT,
)


def kind(event):
    return event_pb2.EventKind.Name(event.kind).removeprefix("EVENT_KIND_")


def events(daemon, **fields):
    """What the daemon knows, and how much it says is missing."""
    fields = {"since": Timestamp(), "no_follow": True} | fields
    messages = list(daemon.telemetry.WatchEvents(telemetry_pb2.WatchEventsRequest(**fields), timeout=20))
    assert messages, "the first message comes at once"
    return [event for message in messages for event in message.events]


def kinds(daemon, **fields):
    return [kind(event) for event in events(daemon, **fields)]


def of_kind(daemon, wanted, **fields):
    return [event for event in events(daemon, **fields) if kind(event) == wanted]


def test_an_engine_comes_dies_and_comes_again(start_daemon, start_engine, until):
    daemon = start_daemon()
    first = start_engine()
    until(lambda: "ENGINE_APPEARED" in kinds(daemon))
    first.steps(count=1)
    first.kill()
    until(lambda: "ENGINE_DIED" in kinds(daemon))
    second = start_engine()
    until(lambda: "ENGINE_RESTARTED" in kinds(daemon))
    found = events(daemon)
    assert [kind(event) for event in found] == [
        "DAEMON_STARTED", "ENGINE_APPEARED", "ENGINE_DIED", "ENGINE_RESTARTED",
    ]  # fmt: skip
    started, appeared, died, restarted = found
    assert (started.engine, bool(started.daemon_version)) == ("", True)
    assert (appeared.engine, appeared.instance_id, appeared.severity) == ("tiny/0", first.instance_id, INFO)
    assert (died.instance_id, died.severity) == (first.instance_id, ACT)
    assert (restarted.instance_id, restarted.severity) == (second.instance_id, WATCH)
    assert [event.id for event in found] == sorted({event.id for event in found})


def test_an_engine_that_ends_in_order_has_not_died(engine, daemon, until):
    engine.close()
    until(lambda: "ENGINE_ENDED" in kinds(daemon))
    assert "ENGINE_DIED" not in kinds(daemon)


def test_a_restart_tells_which_limits_were_lost(engine, daemon, start_engine, until):
    set_limits(daemon, max_num_seqs(6))
    engine.kill()
    start_engine()
    (restarted,) = until(lambda: of_kind(daemon, "ENGINE_RESTARTED"))
    (value,) = restarted.change.values
    assert (value.old_value, value.HasField("new_value")) == (6, False)
    assert "max_num_seqs=6" in restarted.text


def test_a_change_is_told_from_its_acceptance_until_it_has_settled(engine, daemon, until):
    engine.run_with(running=4)
    set_limits(daemon, max_num_seqs(6), reason="a test")
    engine.steps(count=3, running=4)
    until(lambda: "CHANGE_SETTLED" in kinds(daemon))
    found = [event for event in events(daemon) if event.generation == 1]
    assert [kind(event) for event in found] == ["LIMITS_CHANGED", "CHANGE_IN_FORCE", "CHANGE_SETTLED"]
    changed, in_force, _ = found
    assert changed.change.action == control_pb2.CHANGE_ACTION_SET
    assert (changed.change.reason, changed.change.values[0].new_value) == ("a test", 6)
    assert (in_force.step, in_force.HasField("change")) == (1, False)


def test_trials_admission_and_refusals_are_events(engine, daemon, until):
    set_limits(daemon, max_num_seqs(6), ttl=600, change_id="a")
    cancel(daemon, "a")
    close(daemon, until_opened=True)
    open_again(daemon)
    with pytest.raises(grpc.RpcError):
        set_limits(daemon, max_num_seqs(99))
    set_limits(daemon, max_num_seqs(6), ttl=0.05, change_id="b")
    until(lambda: len(of_kind(daemon, "TRIAL_STARTED")) == 2)
    reset(daemon)
    until(lambda: "CHANGE_REFUSED" in kinds(daemon))
    found = {kind(event): event for event in events(daemon)}
    assert (found["TRIAL_REVERTED"].change.change_id, found["TRIAL_STARTED"].severity) == ("a", INFO)
    assert found["ADMISSION_CLOSED"].severity == WATCH
    assert "ADMISSION_OPENED" in found
    assert "99" in found["CHANGE_REFUSED"].change.detail


def test_an_event_of_one_group_names_it(engine, daemon, until):
    engine.do(op=2, max_num_seqs=0, group_caps=[0, 3])
    (changed,) = until(lambda: of_kind(daemon, "LIMITS_CHANGED"))
    assert changed.group == 1


def test_lost_records_are_told(start_engine, start_daemon, until):
    engine = start_engine(capacity=16)
    daemon = start_daemon()
    engine.steps(count=200)
    (lost,) = until(lambda: of_kind(daemon, "RECORDS_LOST"))
    assert (lost.severity, lost.count > 0) == (WATCH, True)


def test_a_follower_is_told_when_it_happens(engine, daemon):
    stream = daemon.telemetry.WatchEvents(telemetry_pb2.WatchEventsRequest())
    assert list(next(stream).events) == []  # So it follows now.
    set_limits(daemon, max_num_seqs(6))
    (event,) = next(stream).events
    assert kind(event) == "LIMITS_CHANGED"
    stream.cancel()


def test_a_reader_goes_on_where_it_was_also_with_the_next_daemon(engine, start_daemon, until):
    daemon = start_daemon()
    set_limits(daemon, max_num_seqs(6))
    (seen,) = until(lambda: of_kind(daemon, "LIMITS_CHANGED"))
    daemon.end()
    engine.do(op=2, max_num_seqs=5)
    daemon = start_daemon()
    # What was before the start is there again, from the audit log.
    changed = until(lambda: of_kind(daemon, "LIMITS_CHANGED"))
    assert [event.change.values[0].new_value for event in changed] == [6, 5]
    missed = events(daemon, since=None, after_id=seen.id)
    assert [kind(event) for event in missed][:2] == ["LIMITS_CHANGED", "DAEMON_STARTED"]
    assert missed[0].change.values[0].new_value == 5


def test_an_audit_log_that_cannot_be_read_keeps_a_daemon_from_nothing(engine, runtime, start_daemon):
    state = runtime.parent / "state"
    state.mkdir()
    (state / "audit.jsonl").mkdir()
    assert kinds(start_daemon()) == ["ENGINE_APPEARED", "DAEMON_STARTED"]


def test_only_what_is_asked_for_comes(start_engine, start_daemon, until):
    start_engine(name="a/0", instance_id="one", model="big")
    start_engine(name="b/0", instance_id="two", model="small").kill()
    daemon = start_daemon()
    until(lambda: "ENGINE_DIED" in kinds(daemon))
    assert {event.engine for event in events(daemon)} == {"", "a/0", "b/0"}
    for wanted, name in (("a/0", "a/0"), ("two", "b/0"), ("a/*", "a/0"), ("model:small", "b/0")):
        assert {event.engine for event in events(daemon, engine=wanted)} == {name}
    assert kinds(daemon, min_severity=ACT) == ["ENGINE_DIED"]


def test_a_field_that_cannot_be_is_refused(engine, daemon):
    with pytest.raises(grpc.RpcError) as caught:
        events(daemon, min_severity=9)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "min_severity=9: allowed is a value of EventSeverity"


def test_many_follow_at_once_and_each_gets_all(engine, daemon):
    seen = [[] for _ in range(8)]
    ready = threading.Barrier(len(seen) + 1)

    def follow(found):
        stream = daemon.telemetry.WatchEvents(telemetry_pb2.WatchEventsRequest())
        next(stream)
        ready.wait()
        while len(found) < 6:
            found += map(kind, next(stream).events)
        stream.cancel()

    threads = [threading.Thread(target=follow, args=(found,)) for found in seen]
    for thread in threads:
        thread.start()
    ready.wait()
    for value in (7, 6, 5):
        set_limits(daemon, max_num_seqs(value))
        engine.steps(count=1, running=2)
    for thread in threads:
        thread.join(20)
    assert all(len(found) >= 6 for found in seen)
    assert len({tuple(found[:6]) for found in seen}) == 1
