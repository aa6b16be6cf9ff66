"""Judges the daemon: does it answer, does it see every engine, and what may we do there."""

from __future__ import annotations

import shlex

from rblntop.doctor.facts import Facts, SocketFact
from rblntop.doctor.finding import Finding, note, ok, problem

DISCOVERY_S = 10.0
"""A ring younger than that may be one that the daemon has not come to yet."""


def judge_daemon(facts: Facts) -> list[Finding]:
    """The one that every other command would use."""
    daemon = facts.daemon
    if daemon.error:
        return _silent(facts)
    count = len(daemon.engines)
    text = f"{daemon.address} answers: version {daemon.version}, {count} engine{'s' * (count != 1)}"
    found = [ok("daemon", text)]
    if daemon.version != facts.version:
        text = f"it is version {daemon.version}, this is {facts.version}"
        found.append(note("daemon", text, "sudo systemctl restart rblntopd" if daemon.is_local else ""))
    return [*found, *_role(facts), *_unlisted(facts)]


def _silent(facts: Facts) -> list[Finding]:
    daemon, runtime = facts.daemon, shlex.quote(str(facts.place.path))
    start = f"rblntopd serve --runtime-dir {runtime}"
    shut = [socket for socket in daemon.sockets if not socket.usable]
    if daemon.address:
        text = f"the daemon at {daemon.address} cannot be used: {daemon.error}"
        mend = start if daemon.is_local else f"ssh HOST systemctl status rblntopd   # of {daemon.address}"
        if any(f"unix:{socket.path}" == daemon.address for socket in shut):
            mend = _join(facts, shut[0])
        if not daemon.is_local and "ertificate" in f"{daemon.error}{daemon.hint}":
            mend = "ls -l ~/.config/rblntop/tls   # docs/service.md says which files it takes"
        return [problem("daemon", text, mend)]
    if shut:
        text = f"{facts.user} may not use {', '.join(map(_rights, shut))}"
        return [problem("daemon", text, _join(facts, shut[0]))]
    if facts.engines or any(ring.alive for ring in facts.rings):
        return [problem("daemon", "none runs here, so that nobody reads the engines", start)]
    return [note("daemon", "none runs here: it comes with an engine, or by itself", start)]


def _role(facts: Facts) -> list[Finding]:
    daemon = facts.daemon
    if daemon.role == "operator":
        return [ok("daemon", "you are an operator: you may look, and change limits")]
    shut = [socket for socket in daemon.sockets if not socket.usable]
    text = "you are a viewer: you may look, and change nothing"
    if daemon.role != "viewer":
        return [note("daemon", "it does not say what you may do")]
    if not shut:
        return [note("daemon", text)]
    return [note("daemon", f"{text}; not yours: {', '.join(map(_rights, shut))}", _join(facts, shut[0]))]


def _unlisted(facts: Facts) -> list[Finding]:
    """Engines with a ring that this daemon should see and does not."""
    daemon = facts.daemon
    if not daemon.is_local:
        return []
    listed = {engine.instance_id for engine in daemon.engines}
    found: list[Finding] = []
    for ring in facts.rings:
        if not ring.alive or ring.instance_id in listed:
            continue
        text = f"it does not list {ring.name} (pid {ring.pid}), whose ring is {ring.path}"
        if ring.age_s < DISCOVERY_S:
            found.append(note("daemon", f"{text}: it was made {ring.age_s:.0f} s ago"))
            continue
        mend = f"rblntopd serve --runtime-dir {shlex.quote(str(ring.runtime))}   # one that looks there"
        found.append(problem("daemon", text, mend))
    return found


def _rights(socket: SocketFact) -> str:
    return f"{socket.path} (of {socket.owner}, group {socket.group}, mode {socket.mode:o})"


def _join(facts: Facts, socket: SocketFact) -> str:
    """How to get in: by the socket's group where that may, else as its owner."""
    if socket.mode & 0o060 == 0o060:
        user = shlex.quote(facts.user)
        return f"sudo usermod -aG {shlex.quote(socket.group)} {user}   # and log in again"
    return f"sudo -u {shlex.quote(socket.owner)} rblnctl doctor"
