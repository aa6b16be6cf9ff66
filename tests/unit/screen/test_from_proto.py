"""From messages to the model: what is absent stays unknown."""

from __future__ import annotations

from rblntop.model import AdmissionState, EngineState, LimitKind, LimitMode, Trial
from rblntop.model.from_proto import snapshot_from_proto, step_from_proto
from rblntop_api.v1 import limits_pb2, snapshot_pb2, step_pb2


def test_an_empty_message_is_a_snapshot_that_knows_nothing():
    snapshot = snapshot_from_proto(snapshot_pb2.Snapshot())
    assert snapshot.engine.state is EngineState.UNKNOWN
    assert snapshot.engine.max_model_len is None
    assert (snapshot.kv_usage_ratio, snapshot.oldest_wait_s, snapshot.time_s) == (None, None, None)
    assert (snapshot.limits.admission, snapshot.limits.in_force_step) == (None, None)
    assert snapshot.window(10) is None


def test_zero_is_a_value_where_the_field_is_there():
    message = snapshot_pb2.Snapshot(kv_usage_ratio=0.0, max_seq_len=0)
    message.windows.add(seconds=10, decode_pad_ratio=0.0)
    snapshot = snapshot_from_proto(message)
    assert (snapshot.kv_usage_ratio, snapshot.max_seq_len) == (0.0, 0)
    window = snapshot.window(10)
    assert window is not None
    assert (window.decode_pad_ratio, window.bubble_ratio) == (0.0, None)


def test_limits_are_told_apart_and_in_order():
    message = snapshot_pb2.Snapshot()
    for group in (1, 0):
        message.limits.limits.add(kind=limits_pb2.LIMIT_KIND_GROUP_CAP, group=group, ceiling=4, effective=4)
    message.limits.limits.add(kind=limits_pb2.LIMIT_KIND_MAX_NUM_SEQS, ceiling=8, target=6, effective=7)
    limits = snapshot_from_proto(message).limits
    assert [cap.group for cap in limits.group_caps] == [0, 1]
    assert limits.group_caps[0].target is None
    assert limits.group_caps[0].wanted == 4
    assert limits.max_num_seqs is not None
    assert limits.max_num_seqs.kind is LimitKind.MAX_NUM_SEQS
    assert limits.max_num_seqs.lowered


def test_what_is_pending():
    message = snapshot_pb2.Snapshot()
    limits = message.limits
    limits.mode = limits_pb2.LIMIT_MODE_HOLD
    limits.limits.add(kind=limits_pb2.LIMIT_KIND_MAX_NUM_SEQS, ceiling=8, target=6, effective=6)
    limits.limits.add(kind=limits_pb2.LIMIT_KIND_GROUP_CAP, group=0, ceiling=4, target=2, reverts_to=2)
    limits.trial.change_id = "abc"
    limits.trial.ttl.seconds = 600
    limits.admission_state.available = True
    found = snapshot_from_proto(message).limits
    assert found.trial == Trial("abc", 0, 600.0, None)
    assert [limit.kind for limit in found.tried] == [LimitKind.MAX_NUM_SEQS]
    assert (found.mode, found.holds) == (LimitMode.HOLD, True)
    assert found.admission_state == AdmissionState()

    limits.trial.reverts_at.FromNanoseconds(1_500_000_000)
    limits.admission_state.closed = True
    limits.admission_state.closed_until.FromSeconds(9)
    found = snapshot_from_proto(message).limits
    assert found.trial is not None
    assert found.trial.reverts_at_s == 1.5
    assert found.admission_state == AdmissionState(closed=True, closed_until_s=9.0)


def test_permille_become_ratios():
    message = snapshot_pb2.Snapshot()
    message.groups.add(group=0).strip.add(fill_permille=500, decode_permille=900, prefill_permille=100)
    cell = snapshot_from_proto(message).groups[0].strip[0]
    assert (cell.fill_ratio, cell.decode_ratio, cell.prefill_ratio) == (0.5, 0.9, 0.1)


def test_a_word_of_a_newer_daemon_is_unknown():
    step = step_pb2.Step(sequence=1, step=1)
    step.MergeFromString(b"\x18\x63")  # kind = 99
    assert step_from_proto(step).kind.name == "UNKNOWN"
