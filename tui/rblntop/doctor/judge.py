"""Judges the facts: everything the doctor says, in the order in which it says it."""

from __future__ import annotations

from rblntop.doctor.facts import Facts
from rblntop.doctor.finding import Finding, Level, note
from rblntop.doctor.judge_daemon import judge_daemon
from rblntop.doctor.judge_engine import judge_engine
from rblntop.doctor.judge_host import judge_clock, judge_devices
from rblntop.doctor.judge_place import judge_place
from rblntop.doctor.judge_plugin import judge_asked
from rblntop.doctor.judge_rings import judge_rings


def judge(facts: Facts) -> list[Finding]:
    """What is as it should be, what is good to know, and what is wrong."""
    return [
        *judge_asked(facts),
        *(finding for engine in facts.engines for finding in judge_engine(engine, facts)),
        *judge_place(facts),
        *judge_rings(facts),
        *judge_daemon(facts),
        *judge_devices(facts),
        *judge_clock(facts),
        *_what_next(facts),
    ]


def has_problem(findings: list[Finding]) -> bool:
    """Whether something does not work."""
    return any(finding.level is Level.PROBLEM for finding in findings)


def _what_next(facts: Facts) -> list[Finding]:
    """For somebody who has just installed it."""
    watched = facts.daemon.engines or any(ring.alive for ring in facts.rings)
    if watched and not facts.daemon.error:
        return [note("next", "look at the engines", "rblntop")]
    if watched or facts.engines:
        return []
    found = [
        note(
            "next",
            "no engine runs here: start one with the probe and a daemon",
            "rblntopd run -- vllm serve MODEL",
        ),
        note("next", "or look at a simulated one", "rblntop demo"),
    ]
    if facts.asked is None:
        found.append(
            note(
                "next", "to check an engine's environment before it starts", "rblnctl doctor --python PYTHON"
            )
        )
    return found
