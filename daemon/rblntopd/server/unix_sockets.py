"""The two unix sockets of the API: whoever may open a file may do what its name says."""

from __future__ import annotations

import os

import grpc

from rblntopd.server.roles import Context, Pass, Role
from rblntopd.server.socket_place import SocketPlace, SocketPlaceError

#: What each socket gives to whom.
OPERATOR = Pass(Role.OPERATOR, "the operators' socket")
VIEWER = Pass(Role.VIEWER, "the viewers' socket")


def operator(_: Context) -> Pass:
    """Every call through the operators' socket."""
    return OPERATOR


def viewer(_: Context) -> Pass:
    """Every call through the viewers' socket."""
    return VIEWER


def bind(server: grpc.aio.Server, place: SocketPlace) -> None:
    """Have ``server`` listen at a place that was taken.

    Raises:
        SocketPlaceError: it cannot, or the place's group is not there.
    """
    # Nobody may come in between the bind and the chmod.
    before = os.umask(0o177)
    try:
        server.add_insecure_port(place.address)
    except RuntimeError as error:
        raise SocketPlaceError(f"cannot listen on {place.address}: {error}") from error
    finally:
        os.umask(before)
    place.set_mode()
