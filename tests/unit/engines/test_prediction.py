"""What the daemon predicts of a change is what the probe then shows."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rblntopd.engines.control_link import set_limits_request
from rblntopd.engines.description import Control, Description
from rblntopd.engines.limits import limits_of
from rblntopd.engines.prediction import Moment, after_change, after_close, after_reset
from rblntopd.probe.changes import Changes
from rblntopd.probe.control_format import Op, Request, Status
from rblntopd.probe.description import EngineFacts
from rblntopd.probe.enforcement import Enforcement
from rblntopd.probe.limits import UNSET, LimitChange, LimitError, LimitState
from rblntopd.probe.limits_block import limits_block
from rblntopd.probe.ring_format import MAX_GROUPS
from rblntopd.probe.rows import Rows

START, GROUPS, LARGEST = 8, 3, 4
OFFERED = Control(True, "")
DESCRIPTION = Description(
    max_num_seqs=START, group_count=GROUPS, max_num_seqs_control=OFFERED, group_cap_control=OFFERED
)

values = st.one_of(st.none(), st.just(UNSET), st.integers(1, START + 1))
changes = st.builds(
    LimitChange,
    values,
    st.dictionaries(st.integers(0, GROUPS - 1), st.one_of(st.just(UNSET), st.integers(1, LARGEST))),
    st.sampled_from([None, True, False]),
)


class Admission:
    reason = ""
    closed = paused_by_others = False
    until_ns = 0

    def close(self, until_ns):
        self.closed, self.until_ns = True, until_ns

    def due(self, now_ns):
        return False


class StandIn:
    """The probe's own limits over so many running requests."""

    def __init__(self, members):
        rows = Rows(GROUPS)
        groups = [{f"{group}-{n}": 1 for n in range(count)} for group, count in enumerate(members)]
        for batch in groups:
            rows.take(batch or {"nobody": 1})
        self.members = tuple(members)
        scheduler = SimpleNamespace(
            running=[SimpleNamespace(request_id=name) for batch in groups for name in batch],
            max_num_running_reqs=START,
        )
        facts = EngineFacts(GROUPS, GROUPS, GROUPS, START, False, (LARGEST,), {})
        self.limits = LimitState(START, GROUPS, GROUPS, START, LARGEST)
        enforcement = Enforcement(scheduler, facts, rows, self.limits)
        self.changes = Changes(enforcement, Admission(), lambda entry: None, lambda: None)

    def ask(self, request):
        return self.changes.handle(request, 5)

    def block(self):
        block = limits_block(self.changes)
        pad = (0,) * (MAX_GROUPS - GROUPS)
        groups = {name: (*getattr(block, name), *pad)[:MAX_GROUPS] for name in (
            "cap_targets", "cap_effective", "cap_excess", "revert_caps")}  # fmt: skip
        groups["revert_caps"] = (*groups["revert_caps"], *(0,) * MAX_GROUPS)[:MAX_GROUPS]
        return block._replace(**groups)

    def moment(self):
        members = self.members + (0,) * (MAX_GROUPS - GROUPS)
        return Moment(self.block(), DESCRIPTION, sum(self.members), members[:GROUPS], 5)

    def shown(self):
        return comparable(self.block())


def comparable(block):
    return limits_of(block._replace(accepted_ns=0), DESCRIPTION)


engines = st.lists(st.integers(0, LARGEST), min_size=GROUPS, max_size=GROUPS)


@given(engines, st.lists(changes, max_size=3), changes, st.sampled_from([0, 1000]))
def test_a_change_is_predicted_as_it_comes(members, before, change, ttl_ms):
    engine = StandIn(members)
    for earlier in before:
        engine.ask(set_limits_request(earlier))
    moment = engine.moment()
    answer = engine.ask(set_limits_request(change, ttl_ms=ttl_ms, change_id="c1"))
    if answer.status == Status.OK:
        assert comparable(after_change(moment, change, "c1", ttl_ms).block) == engine.shown()
    else:
        with pytest.raises(LimitError, match=f"^{re.escape(answer.text)}$"):
            after_change(moment, change, "c1", ttl_ms)


@given(engines, st.lists(changes, max_size=3), st.sampled_from([0, 1000]))
def test_a_reset_is_predicted_as_it_comes(members, before, ttl_ms):
    engine = StandIn(members)
    for number, earlier in enumerate(before):
        last = number == len(before) - 1
        engine.ask(set_limits_request(earlier, ttl_ms=ttl_ms if last else 0, change_id="c1"))
    predicted = comparable(after_reset(engine.moment()).block)
    assert engine.ask(Request(Op.RESET, 0)).status == Status.OK
    assert predicted == engine.shown()


@given(engines, changes, st.sampled_from([0, 1000]))
def test_a_closed_admission_is_predicted_as_it_comes(members, before, ttl_ms):
    engine = StandIn(members)
    engine.ask(set_limits_request(before, ttl_ms=ttl_ms, change_id="c1"))
    # Where nothing runs a trial has settled when the probe looks next.
    engine.ask(Request(Op.HELLO, 0))
    predicted = comparable(after_close(engine.moment(), 0).block)
    assert engine.ask(Request(Op.CLOSE_ADMISSION, 0)).status == Status.OK
    assert predicted == engine.shown()
