"""The log of events: bounded, in order, and honest about what it no longer has."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from rblntopd.events.event import Event, EventKind, Severity
from rblntopd.events.event_log import EventLog


def event(number: int, time_ns: int = 0) -> Event:
    return Event(EventKind.LIMITS_CHANGED, Severity.INFO, time_ns or number, str(number))


def texts(found: list[Event]) -> list[str]:
    return [event.text for event in found]


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(0, 60), st.integers(1, 9))
def test_a_reader_gets_all_after_its_last_or_is_told_how_many_it_missed(learned, last_id, capacity):
    """Also where the wall clock was set back: ids ascend all the same."""
    log = EventLog(capacity)
    ids = []
    for number, learned_ns in enumerate(learned):
        log.add(event(number), learned_ns)
        ids.append(log.last_id)
    assert ids == sorted(set(ids))
    later = [str(number) for number, found in enumerate(ids) if found > last_id]
    found, missed = log.after(last_id)
    assert texts(found) == later[missed:]
    assert len(found) <= capacity
    assert missed == max(0, len(later) - capacity)


def test_what_is_older_than_asked_for_is_left_out():
    log = EventLog(2)
    for number in (10, 20, 30, 40):
        log.add(event(number), number)
    found, missed = log.since(10)
    assert (texts(found), missed) == (["30", "40"], 1)
    assert log.since(30)[1] == 0


def test_the_past_comes_in_the_order_in_which_it_happened():
    log = EventLog(3)
    log.restore([event(3), event(1), event(4), event(2)])
    log.add(event(5), 5)
    assert texts(log.after(0)[0]) == ["3", "4", "5"]
    # A reader that had seen the one of id 3 with another daemon goes on behind it.
    assert texts(log.after(3)[0]) == ["4", "5"]


async def test_a_reader_wakes_up_for_the_next_event():
    log = EventLog()
    log.add(event(1), 1)
    waiting = asyncio.ensure_future(log.wait(log.last_id))
    await asyncio.sleep(0)
    assert not waiting.done()
    log.add(event(2), 2)
    await asyncio.wait_for(waiting, 10)
    await asyncio.wait_for(log.wait(1), 10)
