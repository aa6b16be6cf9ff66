"""Judges one vLLM command that runs: does it have the probe, and if not, why not."""

from __future__ import annotations

import shlex

from rblntop.doctor.facts import Facts, RingFact, VllmProcess
from rblntop.doctor.finding import Finding, Level, note, ok, problem
from rblntop.doctor.judge_plugin import judge_installed, judge_mode, judge_plugins

STARTING_S = 900.0
"""The ring comes with the scheduler, after the model was loaded and compiled: until then nothing is wrong."""


def judge_engine(engine: VllmProcess, facts: Facts) -> list[Finding]:
    """Its ring, where it is, and whatever keeps it from having one."""
    who = f"{engine.title or 'vllm'} (pid {engine.pid}, {engine.user})"
    rings = [ring for ring in facts.rings if ring.alive and ring.pid in engine.pids]
    listed = [found for found in facts.daemon.engines if found.pid in engine.pids]
    if rings or (listed and facts.daemon.is_local):
        return [*_loaded(engine, facts, rings, who), *_elsewhere(engine, facts, rings, bool(listed), who)]
    for bad in facts.bad_rings:
        # <boot>-<pid>-<start>.ring
        if bad.foreign_owner and any(f"-{pid}-" in bad.path.name for pid in engine.pids):
            return [note("engine", f"{who}: it has a ring, which {facts.user} may not read: {bad.path}")]
    return _not_loaded(engine, facts, who)


def _loaded(engine: VllmProcess, facts: Facts, rings: list[RingFact], who: str) -> list[Finding]:
    pids = {ring.pid for ring in rings} | {found.pid for found in facts.daemon.engines}
    missing = [core for core in engine.core_pids if not core & pids]
    if missing:
        text = f"{who}: {len(missing)} of {len(engine.core_pids)} engine cores have no ring"
        return [problem("engine", text, _look_into_log(engine))]
    found = [ok("engine", f"{who}: the probe is loaded")]
    if engine.environment is not None:
        found += judge_mode(engine.environment, "engine", who)
    return found


def _elsewhere(
    engine: VllmProcess, facts: Facts, rings: list[RingFact], listed: bool, who: str
) -> list[Finding]:
    """A ring that neither we nor the daemon look for."""
    others = [ring for ring in rings if ring.runtime != facts.place.path]
    if not others or listed:
        return []
    runtime = others[0].runtime
    text = f"{who}: it records into {runtime}, this command and its daemon look into {facts.place.path}"
    return [problem("engine", text, f"export RBLNTOP_RUNTIME_DIR={shlex.quote(str(runtime))}")]


def _not_loaded(engine: VllmProcess, facts: Facts, who: str) -> list[Finding]:
    ask_as_user = f"sudo {_doctor(engine)}"
    if not engine.same_files:
        text = f"{who}: it runs in a container whose files are not those of the host"
        return [note("engine", text, "rblnctl doctor   # in the container; docs/engine-environment.md")]
    if engine.environment is None:
        text = f"{who}: no ring of it is to be seen, and its environment cannot be read: "
        text += engine.environment_error
        return [note("engine", text, ask_as_user if facts.uid else _look_into_log(engine))]
    found = [
        *judge_plugins(engine.environment, engine.plugin, "engine", who),
        *judge_mode(engine.environment, "engine", who),
    ]
    if engine.plugin.error:
        text = f"{who}: its Python {engine.plugin.python} cannot be asked: {engine.plugin.error}"
        found.insert(0, note("engine", text, ask_as_user if facts.uid else ""))
    else:
        found = [*judge_installed(engine.plugin, facts.version, "engine", who), *found]
    if any(finding.level is Level.PROBLEM for finding in found):
        return found
    if engine.runtime not in (None, facts.place.path):
        text = f"{who}: its runtime directory is {engine.runtime}, ours is {facts.place.path}"
        mend = f"export RBLNTOP_RUNTIME_DIR={shlex.quote(str(engine.runtime))}"
        if facts.uid != 0 and engine.user != facts.user:
            return [*found, problem("engine", text, mend)]  # Whether it has a ring is not for us to see.
        found.append(note("engine", text, mend))
    if engine.age_s < STARTING_S:
        text = f"{who}: no ring yet, after {engine.age_s:.0f} s: it comes when the model is loaded"
        return [*found, note("engine", text)]
    text = f"{who}: no ring, though nothing forbids it: the engine's log says why"
    return [*found, problem("engine", text, _look_into_log(engine))]


def _look_into_log(engine: VllmProcess) -> str:
    return f"journalctl _PID={engine.pid} | grep rblntop   # or wherever the engine's log is"


def _doctor(engine: VllmProcess) -> str:
    return f"rblnctl doctor --pid {engine.pid}"
