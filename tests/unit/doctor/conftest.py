"""A host on which all is well; a test says what is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rblntop.doctor.facts import (
    DaemonFact,
    DeviceFact,
    Facts,
    ListedEngine,
    Place,
    PluginAnswer,
    RingFact,
    Room,
    VllmProcess,
)

VERSION = "0.1.0"
RUNTIME = Path("/run/user/1000/rblntop")
PYTHON = "/opt/vllm/bin/python"
PID = 4242

PLUGIN = PluginAnswer(PYTHON, installed=True, probe_version=VERSION, has_vllm=True, has_vllm_rbln=True)
ENGINE = VllmProcess(
    pid=PID,
    title="vllm serve tiny",
    user="alice",
    age_s=7200.0,
    pids=frozenset({PID, PID + 1}),
    core_pids=(frozenset({PID + 1}),),
    environment={"PATH": "/bin"},
    environment_error="",
    plugin=PLUGIN,
    runtime=RUNTIME,
    same_files=True,
)
RING = RingFact(
    path=RUNTIME / "engines" / "boot-4243-17.ring",
    runtime=RUNTIME,
    name="tiny/0",
    instance_id="boot-4243-17",
    pid=PID + 1,
    age_s=7000.0,
    alive=True,
    probe_version=VERSION,
)
PLACE = Place(
    path=RUNTIME,
    chosen_by="below $XDG_RUNTIME_DIR: no /run/rblntop",
    exists=True,
    is_directory=True,
    uid=1000,
    owner="alice",
    mode=0o700,
    can_list=True,
    can_write=True,
    room=Room(True, RUNTIME / "engines", 1 << 30, 30 << 20),
)
DAEMON = DaemonFact(
    address=f"unix:{RUNTIME}/rblntopd.sock",
    was_asked_for=False,
    is_local=True,
    version=VERSION,
    role="operator",
    engines=(ListedEngine("tiny/0", "boot-4243-17", PID + 1),),
    clock_ahead_s=0.0,
)
FACTS = Facts(
    version=VERSION,
    user="alice",
    uid=1000,
    place=PLACE,
    engines=(ENGINE,),
    rings=(RING,),
    bad_rings=(),
    daemon=DAEMON,
    devices=DeviceFact((("/dev/rbln0", True),), "127.0.0.1:50051", ""),
    own_environment={},
)
NO_DAEMON = DaemonFact("", False, True, error="no socket is there")


@pytest.fixture
def facts() -> Callable[..., Facts]:
    """The host, with one part of it changed by each argument: ``engine={...}`` changes that engine."""

    def changed(
        *,
        engine: dict[str, Any] | None = None,
        ring: dict[str, Any] | None = None,
        place: dict[str, Any] | None = None,
        daemon: dict[str, Any] | None = None,
        **others: Any,
    ) -> Facts:
        if engine is not None:
            others["engines"] = (replace(ENGINE, **engine),)
        if ring is not None:
            others["rings"] = (replace(RING, **ring),)
        if place is not None:
            others["place"] = replace(PLACE, **place)
        if daemon is not None:
            others["daemon"] = replace(DAEMON, **daemon)
        return replace(FACTS, **others)

    return changed
