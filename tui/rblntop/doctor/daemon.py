"""Asks the daemon that a command would use: does it answer, as what, and what does it know."""

from __future__ import annotations

import asyncio
import grp
import os
import stat
import time
from collections.abc import Mapping

from rblntop.client import Client
from rblntop.client.address import Address, find_address, local_sockets
from rblntop.client.errors import ClientError, RefusedError, UnreachableError
from rblntop.doctor.facts import DaemonFact, ListedEngine, SocketFact
from rblntop.doctor.place import user_name


def look_at_daemon(connect: str | None, environment: Mapping[str, str]) -> DaemonFact:
    """The daemon at ``connect``, else the one that the environment or the local sockets lead to.

    Raises:
        AddressError: ``connect`` or ``$RBLNTOP_ADDRESS`` cannot be an address.
    """
    named = bool(connect or environment.get("RBLNTOP_ADDRESS"))
    sockets = _sockets(environment)
    try:
        address = find_address(connect, environment=environment)
    except UnreachableError as error:
        return DaemonFact("", named, True, error=error.cause, hint=error.hint, sockets=sockets)
    local = address.target.startswith("unix:")
    path = address.target.removeprefix("unix:")
    if local and path not in (socket.path for socket in sockets):
        sockets = (*sockets, *_existing([path]))
    try:
        return asyncio.run(_ask(address, named, local, sockets))
    except ClientError as error:
        cause = error.cause if isinstance(error, UnreachableError) else str(error)
        hint = error.hint if isinstance(error, UnreachableError) else ""
        return DaemonFact(str(address), named, local, error=cause, hint=hint, sockets=sockets)


async def _ask(address: Address, named: bool, local: bool, sockets: tuple[SocketFact, ...]) -> DaemonFact:
    async with Client(address) as client:
        listed = await client.list_engines()
        role = "operator"
        try:
            # The only method for operators that changes nothing.
            await client.list_changes(limit=1)
        except RefusedError as error:
            role = "viewer" if error.reason == "ROLE_DENIED" else ""
        ahead_s, took_s = None, 0.0
        for engine in listed.engines[:1]:
            before_s = time.time()
            try:
                snapshot = await client.get_snapshot(engine.instance_id, window_seconds=[1], strip_cells=0)
            except RefusedError:
                break  # It has gone since it was listed.
            after_s = time.time()
            took_s = max(0.0, after_s - before_s)
            ahead_s = snapshot.time.ToNanoseconds() / 1e9 - (before_s + after_s) / 2
    return DaemonFact(
        address=str(address),
        was_asked_for=named,
        is_local=local,
        version=listed.daemon_version,
        role=role,
        engines=tuple(ListedEngine(engine.name, engine.instance_id, engine.pid) for engine in listed.engines),
        clock_ahead_s=ahead_s,
        clock_uncertainty_s=took_s,
        sockets=sockets,
    )


def _sockets(environment: Mapping[str, str]) -> tuple[SocketFact, ...]:
    return _existing(local_sockets(environment, os.getuid()))


def _existing(paths: list[str]) -> tuple[SocketFact, ...]:
    found = []
    for path in dict.fromkeys(paths):
        try:
            stats = os.stat(path)
        except OSError:
            continue  # Most of the places where one could be have none.
        try:
            group = grp.getgrgid(stats.st_gid).gr_name
        except KeyError:
            group = f"gid {stats.st_gid}"
        mode = stat.S_IMODE(stats.st_mode)
        found.append(SocketFact(path, user_name(stats.st_uid), group, mode, os.access(path, os.W_OK)))
    return tuple(found)
