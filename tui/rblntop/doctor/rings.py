"""Reads the rings of a runtime directory: who wrote them, and whether they still do."""

from __future__ import annotations

import os
import time
from pathlib import Path

from rblntop.cli.engine_door import EngineRing, Problem, RingFileError, open_ring, ring, ring_paths
from rblntop.doctor.facts import BadRing, RingFact
from rblntop.doctor.place import user_name

Live = ring.Live


def look_at_rings(runtime: Path) -> tuple[list[RingFact], list[BadRing]]:
    """Every ring there, oldest first, and those that cannot be read."""
    found: list[RingFact] = []
    bad: list[BadRing] = []
    for path in ring_paths(runtime):
        try:
            engine = open_ring(path)
            try:
                found.append(_fact(engine, runtime))
            finally:
                engine.close()
        except RingFileError as error:
            if error.problem is Problem.UNTRUSTED:
                bad.append(BadRing(path, error.text, foreign_owner=_owner(path)))
            elif error.problem is not Problem.MISSING:
                bad.append(BadRing(path, error.text))
    return sorted(found, key=lambda fact: -fact.age_s), bad


def _owner(path: Path) -> str:
    try:
        return user_name(os.stat(path).st_uid)
    except OSError:
        return "a user who has just removed it"


def _fact(engine: EngineRing, runtime: Path) -> RingFact:
    description, header = engine.description, engine.reader.header
    controls = {
        "max_num_seqs": description.max_num_seqs_control,
        "group caps": description.group_cap_control,
        "admission": description.admission_control,
    }
    return RingFact(
        path=engine.reader.path,
        runtime=runtime,
        name=engine.name,
        instance_id=engine.instance_id,
        pid=header.pid,
        age_s=max(0.0, time.time() - header.real_ns / 1e9),
        alive=engine.alive,
        detached=engine.reader.live()[Live.STATE] == ring.ProbeState.DETACHED,
        probe_version=description.probe_version,
        fault=engine.reader.fault(),
        notice=description.notice,
        unavailable=tuple((name, found.reason) for name, found in controls.items() if not found.available),
    )
