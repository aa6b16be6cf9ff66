"""The probe's control socket, asked by real sockets."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rblntopd.probe import control_format as wire
from rblntopd.probe.control_format import Answer, Op, Request, Status
from rblntopd.probe.control_server import MAX_CONNECTIONS, MAX_PATH, ControlServer


def answer(request: Request) -> Answer:
    return Answer(Status.OK, request.request_id, 7, 9, f"{request.max_num_seqs} {request.group_caps[:2]}")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ControlServer]:
    made = ControlServer.create(tmp_path / "e.sock")
    yield made
    made.close()


def connect(server: ControlServer) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(10)
    client.connect(str(server.path))
    return client


def ask(server: ControlServer, client: socket.socket, data: bytes) -> Answer:
    client.send(data)
    serve(server)
    return wire.unpack_answer(client.recv(wire.ANSWER.size))


def serve(server: ControlServer) -> None:
    assert server.ready(10)
    server.serve(answer)
    # The first round accepts, the second reads.
    server.serve(answer)


def test_a_question_gets_its_answer(server: ControlServer) -> None:
    with connect(server) as client:
        request = wire.pack_request(Request(Op.SET_LIMITS, 42, max_num_seqs=16, group_caps=(1, 3)))
        assert ask(server, client, request) == Answer(Status.OK, 42, 7, 9, "16 (1, 3)")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"hello", "a request has"),
        (b"X" * wire.REQUEST.size, "not a control message: it starts with b'XXXX'"),
        (
            b"RBLC\x09\x00" + bytes(wire.REQUEST.size - 6),
            f"control protocol 9.0, this side speaks 1.{wire.MINOR}",
        ),
    ],
)
def test_what_is_no_question_is_refused_and_the_next_one_is_answered(
    server: ControlServer, data: bytes, text: str
) -> None:
    with connect(server) as client:
        refused = ask(server, client, data)
        assert refused.status == Status.MALFORMED
        assert text in refused.text
        assert ask(server, client, wire.pack_request(Request(Op.HELLO, 1))).status == Status.OK


def test_serving_nothing_returns_at_once(server: ControlServer) -> None:
    assert not server.ready(0)
    server.serve(answer)


def test_a_client_that_hangs_up_is_dropped(server: ControlServer) -> None:
    connect(server).close()
    serve(server)
    with connect(server) as client:
        assert ask(server, client, wire.pack_request(Request(Op.HELLO, 1))).status == Status.OK


def test_one_connection_too_many_is_told_so(server: ControlServer) -> None:
    clients = []
    for _ in range(MAX_CONNECTIONS):
        clients.append(connect(server))
        serve(server)
    with connect(server) as one_more:
        serve(server)
        refused = wire.unpack_answer(one_more.recv(wire.ANSWER.size))
    assert (refused.status, refused.text) == (Status.DENIED, "too many connections")
    for client in clients:
        client.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_is_not_answered(tmp_path: Path) -> None:
    # Reachable for everybody, unlike pytest's own directories: the refusal must not be the file mode's.
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        server = ControlServer.create(Path(directory) / "e.sock")
        os.chmod(server.path, 0o666)
        _ask_as_nobody(server)
        server.close()


def _ask_as_nobody(server: ControlServer) -> None:
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            client.connect(str(server.path))
            refused = wire.unpack_answer(client.recv(wire.ANSWER.size))
            os._exit(0 if (refused.status, refused.text) == (Status.DENIED, "not permitted") else 1)
        except OSError:
            os._exit(2)
    serve(server)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_path_too_long_for_a_socket_is_refused_by_its_length(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=f"longer than {MAX_PATH} bytes"):
        ControlServer.create(tmp_path / ("x" * MAX_PATH))


def test_a_message_round_trips() -> None:
    request = Request(Op.SET_LIMITS, 3, 5, 6, 7, 8, tuple(range(64)), "id", "böb", "because of ü")
    assert wire.unpack_request(wire.pack_request(request)) == request
    reply = Answer(Status.INVALID, 3, 5, 8, "max_num_seqs=99 is not in 2..8")
    assert wire.unpack_answer(wire.pack_answer(reply)) == reply
