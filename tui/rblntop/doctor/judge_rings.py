"""Judges the rings: who lives, who records, and what cannot be changed."""

from __future__ import annotations

import shlex

from rblntop.doctor.facts import BadRing, Facts, RingFact
from rblntop.doctor.finding import Finding, note, ok, problem


def judge_rings(facts: Facts) -> list[Finding]:
    """A line for every ring, and more where an engine is not as it should be."""
    found = [finding for ring in facts.rings for finding in _ring(ring, facts)]
    found += [_bad(bad) for bad in facts.bad_rings]
    if not found:
        where = facts.place.path
        return [note("ring", f"no engine has recorded into {where}")] if facts.place.can_list else []
    return found


def _ring(ring: RingFact, facts: Facts) -> list[Finding]:
    who = f"{ring.name} (pid {ring.pid})"
    if not ring.alive:
        text = f"{who} has ended; its last minutes can be read"
        return [note("ring", text, f"rblnctl steps --ring {shlex.quote(str(ring.path))}")]
    if ring.fault:
        text = f"{who}: the probe switched itself off: {ring.fault}"
        return [
            problem(
                "ring",
                text,
                f"journalctl _PID={ring.pid} | grep rblntop   # has the traceback; then restart the engine",
            )
        ]
    if ring.detached:
        return [note("ring", f"{who}: the probe was detached: restart the engine to attach it again")]
    found = [ok("ring", f"{who} records into {ring.path}, probe {ring.probe_version or 'of no version'}")]
    if ring.probe_version and ring.probe_version != facts.version:
        text = (
            f"{who}: its probe is {ring.probe_version}, this is {facts.version}: restart the engine to update"
        )
        found.append(note("ring", text))
    reasons: dict[str, list[str]] = {}
    for limit, reason in ring.unavailable:
        reasons.setdefault(reason, []).append(limit)
    for reason, limits in reasons.items():
        if len(limits) == len(ring.unavailable) == 3:
            found.append(note("ring", f"{who}: telemetry only: {reason}"))
        else:
            found.append(note("ring", f"{who}: cannot be changed: {', '.join(limits)}: {reason}"))
    if ring.notice:
        found.append(note("ring", f"{who}: {ring.notice}"))
    return found


def _bad(ring: BadRing) -> Finding:
    text = f"{ring.path} cannot be read: {ring.reason}"
    if ring.foreign_owner:
        return note("ring", text, f"sudo -u {shlex.quote(ring.foreign_owner)} rblnctl doctor")
    return problem(
        "ring", text, f"rm {shlex.quote(str(ring.path))}   # if it is nobody's; else restart its engine"
    )
