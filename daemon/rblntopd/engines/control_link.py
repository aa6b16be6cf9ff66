"""Asks the probe of an engine: one question, one answer, a deadline."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

from rblntopd.probe import control_format as wire
from rblntopd.probe.control_format import Answer, Flag, Op, Request
from rblntopd.probe.limits import UNSET, LimitChange
from rblntopd.probe.runtime_dir import is_trusted

_request_ids = itertools.count(1)


class ControlLinkError(Exception):
    """The probe gave no answer; the message says why."""

    def __init__(self, text: str, timed_out: bool = False, version: bool = False, asked: bool = True) -> None:
        super().__init__(text)
        self.asked = asked
        """Whether the question may have reached the probe, and may have been carried out."""
        self.timed_out = timed_out
        self.version = version


async def ask(path: Path, request: Request, timeout_s: float) -> Answer:
    """Put one request to the probe behind the socket at ``path``; its id is set here.

    Raises:
        ControlLinkError: no answer came. After a timeout the request may still be carried out.
    """
    request = replace(request, request_id=next(_request_ids))
    try:
        return await asyncio.wait_for(_ask(path, request), timeout_s)
    except asyncio.TimeoutError:
        raise ControlLinkError(f"gave no answer in {timeout_s:g} s", timed_out=True) from None
    except wire.ProtocolError as error:
        raise ControlLinkError(str(error), version=True) from error
    except _NotAskedError as error:
        raise ControlLinkError(f"its control socket: {error}", asked=False) from error
    except OSError as error:
        raise ControlLinkError(f"its control socket: {error.strerror or error}") from error


class _NotAskedError(Exception):
    """There was no connection to ask through."""


def set_limits_request(change: LimitChange, **more: Any) -> Request:
    """A request to change limits."""
    caps = [wire.UNCHANGED] * (max(change.group_caps, default=-1) + 1)
    for group, cap in change.group_caps.items():
        caps[group] = wire.UNSET_CAP if cap is UNSET else cap
    max_num_seqs = wire.UNSET if change.max_num_seqs is UNSET else change.max_num_seqs
    flags = {None: Flag.NONE, True: Flag.HOLD, False: Flag.DRAIN}[change.hold]
    return Request(
        Op.SET_LIMITS, 0, flags, max_num_seqs=max_num_seqs or wire.UNCHANGED, group_caps=tuple(caps), **more
    )


async def _ask(path: Path, request: Request) -> Answer:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK) as connection:
        try:
            await _connect(connection, path)
        except OSError as error:
            raise _NotAskedError(error.strerror or str(error)) from error
        await loop.sock_sendall(connection, wire.pack_request(request))
        while True:
            data = await loop.sock_recv(connection, wire.ANSWER.size + 4096)
            if not data:
                raise ConnectionResetError(0, "was closed without an answer")
            answer = wire.unpack_answer(data)
            if answer.request_id in (request.request_id, 0):
                return answer


async def _connect(connection: socket.socket, path: Path) -> None:
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not is_trusted(os.stat(path.name, dir_fd=directory, follow_symlinks=False), os.fstat(directory)):
            raise PermissionError(0, f"{path} is not of root, of uid {os.geteuid()} or of a shared group")
        # By way of the directory's descriptor: sun_path holds 107 bytes, and paths may be longer.
        address = f"/proc/self/fd/{directory}/{path.name}"
        await asyncio.get_running_loop().sock_connect(connection, address)
    finally:
        os.close(directory)
