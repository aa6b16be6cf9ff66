"""The other end of the probe's control socket, for an engine that this same thread has to step."""

from __future__ import annotations

import itertools
import select
import socket
from collections.abc import Callable
from pathlib import Path

from rblntopd.probe import control_format as fmt


class ControlClient:
    """Asks one probe."""

    def __init__(self, ring: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(str(ring.with_suffix(".sock")))
        self._numbers = itertools.count(1)

    def set_limits(
        self,
        max_num_seqs: int = fmt.UNCHANGED,
        group_caps: tuple[int, ...] = (),
        *,
        while_waiting: Callable[[], None] | None = None,
    ) -> fmt.Answer:
        """Ask for a change and return the answer.

        A busy engine answers from its step, so ``while_waiting`` steps it; an idle one answers from the
        probe's own thread.
        """
        number = next(self._numbers)
        request = fmt.Request(
            fmt.Op.SET_LIMITS, number, max_num_seqs=max_num_seqs, group_caps=group_caps, caller="test"
        )
        self._socket.send(fmt.pack_request(request))
        while not select.select([self._socket], [], [], 0 if while_waiting else None)[0]:
            if while_waiting is not None:
                while_waiting()
        answer = fmt.unpack_answer(self._socket.recv(fmt.ANSWER.size))
        assert answer.request_id == number
        return answer

    def close(self) -> None:
        self._socket.close()
