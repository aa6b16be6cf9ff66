"""Gathers the facts: the only place of the doctor that looks at the system."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import psutil

from rblntop.client.errors import ClientError
from rblntop.doctor.daemon import look_at_daemon
from rblntop.doctor.devices import look_at_devices
from rblntop.doctor.engine_python import Identity, ask_python
from rblntop.doctor.facts import BadRing, Facts, PluginAnswer, RingFact, VllmProcess
from rblntop.doctor.place import engine_place, look_at_place, user_name
from rblntop.doctor.rings import look_at_rings
from rblntop.doctor.vllm_processes import (
    Family,
    age_s,
    command_of,
    find_families,
    interpreter,
    is_core,
    pids_everywhere,
    read_environment,
    sees_file_like_us,
    short_title,
)


class UnknownProcessError(ClientError):
    """No vLLM process has the pid that was asked for."""

    def __init__(self, pid: int, known: list[int]) -> None:
        there_are = f"there are {', '.join(map(str, known))}" if known else "none runs here"
        super().__init__(f"--pid {pid} is no vLLM process: {there_are}")


def gather(
    *,
    python: str | None = None,
    pid: int | None = None,
    connect: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Facts:
    """Look at everything once.

    Args:
        python: An interpreter to ask for the plugin, whether or not an engine runs with it.
        pid: Of the vLLM processes only the command that this one belongs to.
        connect: The daemon's address, as every command takes it.
        environment: Ours. Default: the process's.

    Raises:
        AddressError: ``connect`` or ``$RBLNTOP_ADDRESS`` cannot be an address.
        UnknownProcessError: ``pid`` is no process of vLLM.
    """
    ours = dict(os.environ if environment is None else environment)
    daemon = look_at_daemon(connect, ours)
    place = look_at_place(ours)
    families = find_families()
    if pid is not None:
        known = sorted(family.root.pid for family in families)
        families = [family for family in families if pid in {member.pid for member in family.members}]
        if not families:
            raise UnknownProcessError(pid, known)
    engines = [engine for family in families if (engine := _engine(family)) is not None]
    rings: list[RingFact] = []
    bad: list[BadRing] = []
    for runtime in dict.fromkeys((place.path, *(e.runtime for e in engines if e.runtime and e.same_files))):
        found, unreadable = look_at_rings(runtime)
        rings += found
        bad += unreadable
    return Facts(
        version=version("rblntop"),
        user=user_name(os.geteuid()),
        uid=os.geteuid(),
        place=place,
        engines=tuple(engines),
        rings=tuple(rings),
        bad_rings=tuple(bad),
        daemon=daemon,
        devices=look_at_devices(),
        asked=ask_python(python, None) if python else None,
        own_environment=ours,
    )


def _engine(family: Family) -> VllmProcess | None:
    """None: it has ended since it was found."""
    processes = (*family.members, *family.ancestors)
    environment, why = read_environment(process.pid for process in processes)
    python = interpreter(processes, environment)
    try:
        uid, gid = family.root.uids().effective, family.root.gids().effective
        same_files = not python or sees_file_like_us(family.root.pid, python)
        groups = frozenset({gid, *_groups(family.root.pid)})
    except psutil.NoSuchProcess:
        return None
    return VllmProcess(
        pid=family.root.pid,
        title=short_title(command_of(family.root)),
        user=user_name(uid),
        age_s=age_s(family.root),
        pids=frozenset().union(*(pids_everywhere(process.pid) for process in processes)),
        core_pids=tuple(
            pids_everywhere(member.pid) for member in family.members if is_core(command_of(member))
        ),
        environment=environment,
        environment_error=why,
        plugin=_plugin(python, environment, why, Identity(uid, gid), same_files),
        runtime=None if environment is None else engine_place(environment, uid, groups),
        same_files=same_files,
    )


def _plugin(
    python: str, environment: Mapping[str, str] | None, why: str, identity: Identity, same_files: bool
) -> PluginAnswer:
    if not python:
        return PluginAnswer("", error="it is not known which Python runs it")
    if not same_files:
        return PluginAnswer(python, error="it is a file of its container")
    if environment is None:
        # With another PYTHONPATH the answer would be about another engine.
        return PluginAnswer(python, error=f"its environment cannot be read: {why}")
    return ask_python(python, environment, identity)


def _groups(pid: int) -> list[int]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return []
    return [int(group) for line in lines if line.startswith("Groups:") for group in line.split()[1:]]
