"""Any change in any state, on the real schedulers: every step keeps every promise, and nothing is lost."""

from __future__ import annotations

import random

import pytest
from engine_harness.limit_operator import IDS, LimitOperator
from engine_harness.random_changes import run_at_random
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from rblntopd.probe.control_format import UNSET, UNSET_CAP, Op

STEPS = 2500
KEY = st.sampled_from(IDS)
TTL_MS = st.sampled_from([1, 200, 2000, 60_000])
HOLD = st.sampled_from([None, False, True])
ENDS = st.sampled_from([Op.CONFIRM, Op.CANCEL, Op.EXTEND])


def _name(settings):
    return (
        f"{'rbln' if settings.get('rbln', True) else 'plain'}-pp{settings['pp']}-{settings['max_num_seqs']}"
    )


@pytest.mark.parametrize(
    ("seed", "settings"),
    [
        (1, {"pp": 1, "max_num_seqs": 6, "blocks": 150}),
        (2, {"pp": 2, "max_num_seqs": 9, "blocks": 150}),
        (3, {"pp": 4, "max_num_seqs": 27, "blocks": 1000, "scheduling_policy": "priority"}),
        (4, {"pp": 8, "max_num_seqs": 24, "blocks": 1000}),
        (5, {"pp": 4, "max_num_seqs": 15, "blocks": 70, "buckets": 3}),
        (6, {"pp": 1, "max_num_seqs": 5, "blocks": 150, "rbln": False}),
        (7, {"pp": 2, "max_num_seqs": 11, "blocks": 70, "rbln": False, "scheduling_policy": "priority"}),
        (8, {"pp": 4, "max_num_seqs": 18, "blocks": 150, "rbln": False}),
        (9, {"pp": 8, "max_num_seqs": 25, "blocks": 1000, "rbln": False}),
    ],
    ids=lambda value: _name(value) if isinstance(value, dict) else str(value),
)
def test_changes_in_random_order(deep_engine, seed, settings):
    rbln = settings.get("rbln", True)
    operator = LimitOperator(deep_engine(**settings), rbln=rbln)
    run_at_random(operator, seed, STEPS)
    judge = operator.judge
    # A run that met none of it would prove nothing.
    assert judge.capped_steps > 100
    assert judge.held_steps
    assert judge.drained_steps
    assert operator.answers["SET_LIMITS OK"] > 5


@pytest.mark.parametrize("rbln", [True, False], ids=["rbln", "plain"])
def test_whatever_an_operator_does(deep_engine, rbln):
    engine = deep_engine(pp=2, max_num_seqs=9, blocks=150, rbln=rbln)
    operator = LimitOperator(engine, rbln=rbln)
    state = operator.state
    any_cap = st.one_of(st.sampled_from([0, UNSET_CAP]), st.integers(1, state.cap_ceiling + 1))
    any_caps = st.lists(any_cap, max_size=3).map(tuple)
    any_number = st.one_of(st.sampled_from([0, UNSET]), st.integers(1, state.ceiling + 1))

    class Operate(RuleBasedStateMachine):
        """Hypothesis chooses; the operator's model and the judge decide whether it was right."""

        @rule(seed=st.integers(0, 9999), requests=st.integers(1, 12))
        def send(self, seed, requests):
            operator.send(random.Random(seed), requests)

        @rule(steps=st.integers(1, 80))
        def run_on(self, steps):
            operator.run(steps)

        @rule(seed=st.integers(0, 99))
        def abort(self, seed):
            operator.abort(random.Random(seed))

        @rule(number=any_number, caps=any_caps, hold=HOLD, validate_only=st.booleans())
        def set_limits(self, number, caps, hold, validate_only):
            operator.set(max_num_seqs=number, caps=caps, hold=hold, validate_only=validate_only)

        @rule(number=any_number, caps=any_caps, hold=HOLD, ttl_ms=TTL_MS, key=KEY)
        def try_limits(self, number, caps, hold, ttl_ms, key):
            operator.set(max_num_seqs=number, caps=caps, hold=hold, ttl_ms=ttl_ms, change_id=key)

        @rule(number=any_number, off_by=st.sampled_from([0, 1, 7]))
        def race(self, number, off_by):
            operator.set(max_num_seqs=number, generation=operator.expected.generation + off_by)

        @rule(
            op=st.sampled_from([Op.CONFIRM, Op.CANCEL, Op.EXTEND]), key=KEY, ttl_ms=st.sampled_from([0, 500])
        )
        def end_trial(self, op, key, ttl_ms):
            operator.end_trial(op, key, ttl_ms)

        @rule()
        def reset(self):
            operator.reset()

        @rule(ttl_ms=st.sampled_from([0, 1, 500]))
        def close(self, ttl_ms):
            operator.close(ttl_ms)

        @precondition(lambda _: operator.expected.closed)
        @rule()
        def open(self):
            operator.open()

        @rule(state=st.sampled_from([0, 1]))
        def pause_as_vllm(self, state):
            operator.pause_as_vllm(state)

        def teardown(self):
            # The engine goes on to the next example, as an engine does.
            operator.finish()
            operator.reset()
            engine.scheduler.reset_prefix_cache()

    run_state_machine_as_test(
        Operate,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert operator.judge.steps > STEPS
