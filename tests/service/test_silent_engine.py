"""One engine that is silent keeps an operator from nothing that makes the others safer."""

from __future__ import annotations

import os
import signal

import grpc
import pytest
from tests.service.conversation import cancel, max_num_seqs, refusal, reset, set_limits

from rblntop.client import Client, RefusedError


@pytest.fixture
def two(start_engine):
    return start_engine(name="tiny/0"), start_engine(name="tiny/1")


@pytest.mark.parametrize(
    "call", [lambda daemon: cancel(daemon, "mine"), lambda daemon: reset(daemon, engine="tiny/*")]
)
def test_what_makes_an_engine_safer_is_done_on_those_that_answer(two, start_daemon, call):
    good, silent = two
    daemon = start_daemon()
    set_limits(daemon, max_num_seqs(6), engine="tiny/*", ttl=600, change_id="mine")
    os.kill(silent.pid, signal.SIGSTOP)
    code, text, _ = refusal(call, daemon)
    assert code == grpc.StatusCode.UNAVAILABLE
    assert text.startswith("engine tiny/1 does not answer")
    assert text.endswith("; done on tiny/0")
    assert good.state()["trial"] == ""


async def test_the_client_hears_which_engine_is_silent(two, start_daemon):
    _, silent = two
    daemon = start_daemon()
    set_limits(daemon, max_num_seqs(6), engine="tiny/*", ttl=600, change_id="mine")
    os.kill(silent.pid, signal.SIGSTOP)
    async with Client(f"unix:{daemon.socket}") as client:
        with pytest.raises(RefusedError, match="engine tiny/1 does not answer"):
            await client.cancel("mine")
