"""The client against a daemon on a real socket."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import grpc
import pytest

from rblntop.client import Backoff, Client, Disconnected, EngineNotFoundError, RefusedError, UnreachableError
from rblntop.client.reconnect import keep_streaming
from rblntop_api.v1 import control_pb2, limits_pb2

NO_PAUSE = Backoff(first_s=0.0, longest_s=0.0)


async def test_engines_are_listed(daemon):
    async with Client(daemon.address) as client:
        answer = await client.list_engines()
    assert [engine.name for engine in answer.engines] == ["demo/0"]


async def test_a_snapshot_names_engine_windows_and_cells(daemon):
    async with Client(daemon.address) as client:
        snapshot = await client.get_snapshot("demo/0", window_seconds=(1, 5), strip_cells=7)
    assert snapshot.running == 7
    request = daemon.requests[-1]
    assert (request.engine, list(request.window_seconds), request.strip_cells) == ("demo/0", [1, 5], 7)


async def test_a_change_is_one_request(daemon):
    async with Client(daemon.address) as client:
        await client.set_limits("demo/0", max_num_seqs=6, group_caps=[(0, 1), (1, 3)], wait_timeout_s=2.5)
    request = daemon.requests[-1]
    assert [(change.kind, change.group, change.value) for change in request.changes] == [
        (limits_pb2.LIMIT_KIND_MAX_NUM_SEQS, 0, 6),
        (limits_pb2.LIMIT_KIND_GROUP_CAP, 0, 1),
        (limits_pb2.LIMIT_KIND_GROUP_CAP, 1, 3),
    ]
    assert request.changes[1].HasField("group")
    assert not request.changes[0].HasField("group")
    assert request.wait_for == control_pb2.CHANGE_PHASE_ACCEPTED
    assert request.wait_timeout.ToTimedelta().total_seconds() == 2.5


async def test_a_refusal_carries_message_code_reason_and_metadata(daemon, refusal_of):
    daemon.refuse = refusal_of(
        grpc.StatusCode.INVALID_ARGUMENT, "max_num_seqs 99: 2 to 8", "OUT_OF_RANGE", ceiling="8"
    )
    async with Client(daemon.address) as client:
        with pytest.raises(RefusedError, match="max_num_seqs 99: 2 to 8") as caught:
            await client.set_limits(max_num_seqs=99)
    assert caught.value.code == "INVALID_ARGUMENT"
    assert caught.value.reason == "OUT_OF_RANGE"
    assert caught.value.metadata == {"ceiling": "8"}


async def test_an_unknown_engine_has_its_own_error(daemon, refusal_of):
    daemon.refuse = refusal_of(grpc.StatusCode.NOT_FOUND, "no engine x; there is demo/0", "ENGINE_NOT_FOUND")
    async with Client(daemon.address) as client:
        with pytest.raises(EngineNotFoundError, match="there is demo/0"):
            await client.get_snapshot("x")


async def test_an_engine_that_does_not_answer_is_a_refusal_of_the_daemon(daemon, refusal_of):
    daemon.refuse = refusal_of(grpc.StatusCode.UNAVAILABLE, "demo/0 does not answer", "ENGINE_SILENT")
    async with Client(daemon.address) as client:
        with pytest.raises(RefusedError, match="demo/0 does not answer"):
            await client.set_limits(max_num_seqs=4)


async def test_a_daemon_that_is_not_there_is_named_with_what_to_do(tmp_path):
    async with Client(f"unix:{tmp_path}/none.sock") as client:
        with pytest.raises(UnreachableError, match=r"none\.sock") as caught:
            await client.list_engines()
    assert "rblntopd serve" in str(caught.value)


async def test_a_daemon_that_hangs_is_given_up_at_the_deadline(daemon):
    daemon.hang = True
    async with Client(daemon.address, deadline_s=0.05) as client:
        with pytest.raises(UnreachableError, match="did not answer in time"):
            await client.list_engines()


async def test_a_newer_call_on_an_older_daemon_says_so(daemon, refusal_of):
    daemon.refuse = refusal_of(grpc.StatusCode.UNIMPLEMENTED, "unknown method", "")
    async with Client(daemon.address) as client:
        with pytest.raises(RefusedError, match="too old"):
            await client.list_engines()


async def test_leaving_a_stream_cancels_it_in_the_daemon(daemon):
    daemon.hold_stream = True
    async with Client(daemon.address) as client:
        async with aclosing(client.watch_snapshots()) as stream:
            assert (await anext(stream)).snapshots[0].step == 1200
        await asyncio.wait_for(daemon.stream_ended.wait(), 10)


async def test_cancelling_the_reader_cancels_the_stream_in_the_daemon(daemon):
    daemon.hold_stream = True
    reading = asyncio.Event()

    async def read(client: Client) -> None:
        async with aclosing(client.watch_snapshots()) as stream:
            async for _ in stream:
                reading.set()

    async with Client(daemon.address) as client:
        task = asyncio.create_task(read(client))
        await reading.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(daemon.stream_ended.wait(), 10)


async def test_a_stream_goes_on_when_the_daemon_comes_back(daemon):
    daemon.ticks, daemon.hold_stream = 1, True

    def open_stream():
        return client.watch_snapshots()

    async with (
        Client(daemon.address) as client,
        aclosing(keep_streaming(open_stream, backoff=NO_PAUSE)) as stream,
    ):
        assert (await anext(stream)).snapshots[0].step == 1200
        await daemon.stop()
        assert isinstance(await anext(stream), Disconnected)
        await daemon.start()
        message = await anext(stream)
        while isinstance(message, Disconnected):
            message = await anext(stream)
        assert message.snapshots[0].step == 1200


async def test_a_stream_that_falls_silent_is_opened_again(daemon):
    daemon.ticks, daemon.hold_stream = 1, True

    async with (
        Client(daemon.address) as client,
        aclosing(keep_streaming(client.watch_snapshots, silence_s=0.2, backoff=NO_PAUSE)) as stream,
    ):
        await anext(stream)
        lost = await anext(stream)
        assert lost == Disconnected("nothing came for 0.2 s", 1, 0.0)
        assert (await anext(stream)).snapshots
        await asyncio.wait_for(daemon.stream_ended.wait(), 10)


async def test_a_refused_stream_is_not_tried_again(daemon, refusal_of):
    daemon.refuse = refusal_of(grpc.StatusCode.PERMISSION_DENIED, "viewers may not", "ROLE")
    async with (
        Client(daemon.address) as client,
        aclosing(keep_streaming(client.watch_snapshots, backoff=NO_PAUSE)) as stream,
    ):
        with pytest.raises(RefusedError, match="viewers may not"):
            await anext(stream)
    assert len(daemon.requests) == 1


async def test_pauses_double_up_to_a_bound_and_start_anew_after_a_message():
    pauses = []
    script = iter([False, False, True, False])

    async def stream():
        if next(script):
            yield "message"
        raise UnreachableError("here", "gone")

    async def note(seconds):
        pauses.append(seconds)

    backoff = Backoff(first_s=1.0, longest_s=1.5, spread=0.0)
    async with aclosing(keep_streaming(stream, backoff=backoff, sleep=note)) as messages:
        seen = [await anext(messages) for _ in range(5)]
    assert [message if isinstance(message, str) else message.retry_in_s for message in seen] == [
        1.0,
        1.5,
        "message",
        1.0,
        1.5,
    ]
    assert pauses == [1.0, 1.5, 1.0]
