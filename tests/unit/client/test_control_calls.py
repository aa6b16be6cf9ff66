"""Every call that changes an engine, by both clients: what is sent, and who it is from."""

from __future__ import annotations

import asyncio
import inspect
import socket
import time

import grpc
import pytest

from rblntop.client import UNSET, Client, RefusedError, SyncClient, UnreachableError
from rblntop.client.address import Address
from rblntop.client.identity import ask_identity
from rblntop_api.v1 import control_pb2, limits_pb2

TEN_MINUTES_S = 600.0


@pytest.fixture(params=["async", "sync"])
def call(request, daemon):
    """Calls one method of either client."""

    async def call_async(method, *arguments, **options):
        async with Client(daemon.address) as client:
            return await getattr(client, method)(*arguments, **options)

    def blocking(method, arguments, options):
        with SyncClient(daemon.address) as client:
            return getattr(client, method)(*arguments, **options)

    async def call_sync(method, *arguments, **options):
        return await asyncio.to_thread(blocking, method, arguments, options)

    return call_async if request.param == "async" else call_sync


async def test_a_trial(call, daemon):
    await call(
        "set_limits",
        "prod-70b/*",
        max_num_seqs=24,
        group_caps={0: 1, 1: UNSET},
        mode="hold",
        ttl_s=TEN_MINUTES_S,
        expected_generation=0,
        reason="latency test",
        change_id="abc",
        wait_for="settled",
    )
    request = daemon.requests[-1]
    assert request.engine == "prod-70b/*"
    assert [(change.group, change.value) for change in request.changes] == [(0, 24), (0, 1), (1, 0)]
    assert [change.HasField("value") for change in request.changes] == [True, True, False]
    assert request.mode == limits_pb2.LIMIT_MODE_HOLD
    assert request.ttl.seconds == 600
    assert (request.HasField("expected_generation"), request.expected_generation) == (True, 0)
    assert (request.reason, request.change_id) == ("latency test", "abc")
    assert request.wait_for == control_pb2.CHANGE_PHASE_SETTLED
    assert not request.validate_only


async def test_back_to_the_start_up_value_is_a_change_without_a_value(call, daemon):
    await call("set_limits", max_num_seqs=UNSET, validate_only=True)
    request = daemon.requests[-1]
    assert (len(request.changes), request.changes[0].HasField("value")) == (1, False)
    assert request.validate_only
    assert [name for name in ("ttl", "expected_generation") if request.HasField(name)] == []
    assert request.mode == limits_pb2.LIMIT_MODE_UNSPECIFIED


async def test_confirm_extend_and_cancel_name_the_change(call, daemon):
    await call("confirm", "abc", reason="good")
    assert daemon.requests[-1] == control_pb2.ConfirmChangeRequest(change_id="abc", reason="good")
    await call("extend", "abc", TEN_MINUTES_S, engine="demo/0")
    assert daemon.requests[-1].extend.seconds == 600
    assert daemon.requests[-1].engine == "demo/0"
    answer = await call("cancel", "abc")
    assert daemon.requests[-1] == control_pb2.CancelChangeRequest(change_id="abc")
    assert answer.engines[0].generation == 4


async def test_reset_and_detach(call, daemon):
    await call("reset", "demo/0")
    assert daemon.requests[-1] == control_pb2.ResetLimitsRequest(engine="demo/0")
    await call("reset", detach=True, validate_only=True)
    assert daemon.requests[-1] == control_pb2.ResetLimitsRequest(detach=True, validate_only=True)


async def test_admission_is_closed_for_a_time_or_until_it_is_opened(call, daemon):
    await call("close_admission", "demo/0", ttl_s=1800, expected_generation=3)
    request = daemon.requests[-1]
    assert (request.WhichOneof("until"), request.ttl.seconds, request.expected_generation) == ("ttl", 1800, 3)
    await call("close_admission", until_opened=True)
    assert daemon.requests[-1].WhichOneof("until") == "until_opened"
    await call("open_admission", "demo/0", reason="maintenance done")
    assert daemon.requests[-1].reason == "maintenance done"


@pytest.mark.parametrize("until", [{}, {"ttl_s": 60, "until_opened": True}])
async def test_closing_without_saying_until_when_is_refused_here(call, daemon, until):
    with pytest.raises(ValueError, match="ttl_s"):
        await call("close_admission", **until)
    assert daemon.requests == []


async def test_the_audit_log_is_read(call, daemon):
    daemon.changes.changes.add(engine="demo/0", generation=4)
    answer = await call("list_changes", "demo/0", limit=5, since_s=3600)
    assert answer.changes[0].generation == 4
    request = daemon.requests[-1]
    assert (request.engine, request.limit) == ("demo/0", 5)
    assert 3590 <= time.time() - request.since.seconds <= 3700
    await call("list_changes")
    assert not daemon.requests[-1].HasField("since")


async def test_every_change_carries_a_token_of_its_own(call, daemon, identities):
    await call("set_limits", max_num_seqs=4)
    await call("confirm", "abc")
    await call("cancel", "abc")
    await call("reset")
    await call("close_admission", until_opened=True)
    await call("open_admission")
    carried = [metadata.get("rblntop-identity") for metadata in daemon.metadata]
    assert carried == [f"token-{number}" for number in range(1, 7)]


async def test_reading_takes_no_token(call, daemon, identities):
    await call("list_engines")
    await call("list_changes")
    assert len(identities) == 9


async def test_without_an_identity_socket_the_change_is_made_all_the_same(call, daemon):
    await call("set_limits", max_num_seqs=4)
    assert "rblntop-identity" not in daemon.metadata[-1]


async def test_a_refusal_carries_code_reason_and_metadata(call, daemon, refusal_of):
    daemon.refuse = refusal_of(
        grpc.StatusCode.FAILED_PRECONDITION, "change abc is on trial", "TRIAL_PENDING", change_id="abc"
    )
    with pytest.raises(RefusedError, match="change abc is on trial") as caught:
        await call("set_limits", max_num_seqs=4)
    assert (caught.value.code, caught.value.reason) == ("FAILED_PRECONDITION", "TRIAL_PENDING")
    assert caught.value.metadata == {"change_id": "abc"}


def test_both_clients_have_the_same_methods_with_the_same_arguments():
    def signatures(kind):
        return {
            name: list(inspect.signature(member).parameters.items())
            for name, member in vars(kind).items()
            if not name.startswith("_") and callable(member)
        }

    assert signatures(SyncClient) == signatures(Client)


async def test_a_blocking_client_reads_streams(daemon):
    def read():
        with SyncClient(daemon.address) as client:
            return [message.snapshots[0].step for message in client.watch_snapshots(interval_s=0.1)]

    assert await asyncio.to_thread(read) == [1200, 1201, 1202]


async def test_leaving_a_blocking_stream_cancels_it_in_the_daemon(daemon):
    daemon.hold_stream = True

    def read():
        with SyncClient(daemon.address) as client:
            stream = client.watch_snapshots()
            assert next(stream).snapshots[0].step == 1200
            stream.close()

    await asyncio.to_thread(read)
    await asyncio.wait_for(daemon.stream_ended.wait(), 10)


async def test_a_blocking_client_names_the_daemon_that_is_not_there(tmp_path):
    def ask():
        with SyncClient(f"unix:{tmp_path}/none.sock") as client:
            client.list_engines()

    with pytest.raises(UnreachableError, match=r"none\.sock"):
        await asyncio.to_thread(ask)


# --- the identity socket -----------------------------------------------------------------------------------


async def identity_after(tmp_path, answer: bytes):
    async def give(_, writer):
        writer.write(answer)
        writer.close()

    async with await asyncio.start_unix_server(give, tmp_path / "rblntopd-id.sock"):
        return await asyncio.to_thread(ask_identity, Address(f"unix:{tmp_path}/rblntopd.sock"))


async def test_an_identity_says_who_the_daemon_takes_us_for(tmp_path):
    found = await identity_after(
        tmp_path, b'{"token": "t", "uid": 1000, "user": "ops", "expires_s": 60}\nmore'
    )
    assert found is not None
    assert (found.token, found.uid, found.user, found.expires_s) == ("t", 1000, "ops", 60.0)


@pytest.mark.parametrize(
    "answer",
    [b"", b"{", b"[]\n", b'{"token": 3}\n', b'{"token": "a\\nb"}\n', b'{"token": ""}\n', b"x" * 9999],
)
async def test_an_answer_that_is_none_counts_as_no_identity(tmp_path, answer):
    assert await identity_after(tmp_path, answer) is None


def test_a_daemon_that_says_nothing_is_not_waited_for(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "rblntopd-id.sock"))
        listener.listen()
        assert ask_identity(Address(f"unix:{tmp_path}/rblntopd.sock"), timeout_s=0.05) is None


def test_over_tcp_there_is_no_identity():
    assert Address("host:50661").identity_socket is None
    assert ask_identity(Address("host:50661")) is None
