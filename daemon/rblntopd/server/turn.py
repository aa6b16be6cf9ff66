"""A daemon beside a command waits while another one serves: that one may end long before the command."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rblntopd.server.socket_place import SocketPlace, SocketTakenError

if TYPE_CHECKING:
    from rblntopd.server.followed_process import FollowedProcess

LOOK_S = 0.5


def take_turn(place: SocketPlace, followed: FollowedProcess | None) -> bool:
    """Take the place, as soon as it is free; false when the followed process ends before that.

    Raises:
        SocketTakenError: another daemon serves there, and there is no process to wait with.
        SocketPlaceError: nobody can serve there.
    """
    while True:
        try:
            place.take()
        except SocketTakenError:
            if followed is None:
                raise
            time.sleep(LOOK_S)
            if not followed.is_running():
                return False
        else:
            return True
