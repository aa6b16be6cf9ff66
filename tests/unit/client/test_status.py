"""What a person reads when the transport fails. The messages are grpc 1.85's own."""

from __future__ import annotations

import grpc.aio
import pytest

from rblntop.client.address import Address
from rblntop.client.status import error_from_rpc

SOCKET = "unix:/run/x.sock"


def error(details: str):
    metadata = grpc.aio.Metadata()
    failed = grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, metadata, metadata, details)
    return error_from_rpc(failed, Address(SOCKET))


def unix(words: str) -> str:
    return (
        f"failed to connect to all addresses; last error: FAILED_PRECONDITION: {SOCKET}: "
        f"connect failed: addr: {SOCKET} error: {words}"
    )


@pytest.mark.parametrize(
    ("details", "cause"),
    [
        (unix("No such file or directory"), "No such file or directory"),
        (unix("Connection refused"), "Connection refused"),
        (
            "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: "
            "Failed to connect to remote host: Connection refused",
            "Connection refused",
        ),
        ("Stream removed (Socket closed)", "the connection was closed"),
        ("", "the connection was closed"),
        ("GOAWAY received", "GOAWAY received"),
    ],
)
def test_the_cause_is_in_the_systems_words_where_there_are_some(details, cause):
    assert error(details).cause == cause


def test_a_socket_of_somebody_else_is_not_mended_by_another_daemon():
    refused = error(unix("Permission denied"))
    assert str(refused) == (
        f"no daemon answers at {SOCKET}: Permission denied\n"
        "The socket is another user's: call this as the user of the daemon, as root, or as one of "
        "its group: the service's are rblntop (looks) and rblntop-admin (changes limits)."
    )
