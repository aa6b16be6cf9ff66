"""Ticks that are shared by subscribers, and what becomes of them when making a message fails."""

from __future__ import annotations

import asyncio

import pytest

from rblntopd.server.feed import Feed


async def test_a_subscriber_gets_the_latest_message_once():
    made = iter(range(100))

    async def make():
        return str(next(made)).encode()

    feed = Feed(make, 0.001)
    feed.join()
    tick, first = await feed.after(0)
    later, second = await feed.after(tick)
    assert (first, later > tick, second != first) == (b"0", True, True)
    feed.leave()


async def test_after_a_message_that_could_not_be_made_the_feed_goes_on():
    failures = [ValueError("garbage")]

    async def make():
        if failures:
            raise failures.pop()
        return b"good"

    feed = Feed(make, 0.001)
    feed.join()
    with pytest.raises(ValueError, match="garbage"):
        await feed.after(0)
    # Another subscriber, which was writing at that moment, or comes now.
    feed.join()
    assert (await asyncio.wait_for(feed.after(0), 5))[1] == b"good"
    feed.leave()
    feed.leave()
