"""The rules in order: the first that has something to say is the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rblntop.scene import Scene
from rblntop.verdict.limit_rules import closed, draining, held, limited, trying
from rblntop.verdict.pipeline_rules import (
    all_well,
    collapsed,
    idle,
    kv_full,
    one_bucket,
    padded,
    prefill_storm,
    underfed,
)
from rblntop.verdict.process_rules import gone, restarted, silent, stale, stalled, starting
from rblntop.verdict.verdict import Level, Verdict

Rule = Callable[[Scene], Verdict | None]

RULES: tuple[Rule, ...] = (
    stale,
    gone,
    stalled,
    restarted,
    starting,
    silent,
    closed,
    trying,
    limited,
    collapsed,
    kv_full,
    prefill_storm,
    padded,
    one_bucket,
    held,
    draining,
    idle,
    underfed,
    all_well,
)


def judge(scene: Scene) -> Verdict:
    """The verdict of the first rule that applies."""
    for rule in RULES:
        if verdict := rule(scene):
            return replace(verdict, rule=rule.__name__)
    raise AssertionError("the last rule always applies")


def holding(scene: Scene) -> list[Verdict]:
    """What every rule says that finds fault, in order."""
    verdicts = [(rule.__name__, rule(scene)) for rule in RULES]
    return [
        replace(verdict, rule=name)
        for name, verdict in verdicts
        if verdict is not None and verdict.level is not Level.GOOD
    ]
