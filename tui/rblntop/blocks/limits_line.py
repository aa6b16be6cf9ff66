"""The limits, and how a lowered one drains."""

from __future__ import annotations

from rblntop.blocks.pending import pending
from rblntop.model import Limit, LimitKind, Limits
from rblntop.scene import Scene
from rblntop.text.cells import clean
from rblntop.text.line import Line, Role, Span, fit, spread, width_of
from rblntop.text.numbers import count, rate

HEIGHT = 2


def unfolded(scene: Scene) -> bool:
    """There is more to say than the limits: something is pending, drains, or cannot be changed."""
    snapshot, limits = scene.snapshot, scene.snapshot.limits
    every = [limit for limit in (limits.max_num_seqs, *limits.group_caps) if limit is not None]
    moving = any(limit.effective > limit.wanted or not limit.available for limit in every)
    unsettled = bool(limits.generation) and (limits.in_force_step is None or limits.settled_step is None)
    return moving or unsettled or bool(pending(snapshot)) or bool(snapshot.engine.notice)


def limits_lines(scene: Scene, width: int) -> list[Line]:
    """Two lines: the limits, and what is pending and becomes of the latest change."""
    room = width - 10
    line: list[Span] = []
    for part in pending(scene.snapshot, commands=False):
        line += [*part, Span("   ")]
    line += _effect(scene)
    line += _progress(scene, room - width_of(tuple(line)))
    return [_limits(scene, width), fit((Span("         "), *line), width)]


def _effect(scene: Scene) -> Line:
    """What the trial did, also where the verdict line has no room for it."""
    effect = scene.effect
    if effect is None or effect.after is None or effect.before is None:
        return ()
    if not effect.comparable:
        return (Span("not comparable: load moved   ", Role.LABEL),)
    return (Span(f"{rate(effect.before)} -> {rate(effect.after)} tok/s   ", Role.STRONG),)


def full_limits_lines(scene: Scene, width: int) -> list[Line]:
    """The same with a line for each thing that is pending, where the height is not fixed."""
    lines: list[Line] = [_limits(scene, width)]
    lines += [(Span("         "), *line) for line in pending(scene.snapshot)]
    return [*lines, fit((Span("         "), *_progress(scene, width - 10)), width)]


def _limits(scene: Scene, width: int) -> Line:
    limits = scene.snapshot.limits
    start: Line = (
        Span(" LIMITS  ", Role.TITLE),
        Span("max_num_seqs ", Role.LABEL, "set_max_num_seqs"),
        *_seqs(limits.max_num_seqs),
        Span("   group caps " if width >= 100 else "   caps ", Role.LABEL),
        *_caps(limits, 40 if width >= 100 else 24),
    )
    if limits.holds:
        start += (Span(" HOLD", Role.NOTE),)
    if width >= 100:
        start += _admits(limits)
    word = "generation" if width >= 100 else "gen"
    end: Line = (Span(f" {word} ", Role.LABEL), Span(f"{limits.generation} ", Role.TEXT))
    return spread(start, end, width)


def _admits(limits: Limits) -> Line:
    state = limits.admission_state
    if state.closed or state.paused_by_engine:
        return (Span("   admits ", Role.LABEL), Span("none", Role.WATCH))
    if limits.admission is None:
        return ()
    bound = {LimitKind.MAX_NUM_SEQS: "by max_num_seqs", LimitKind.GROUP_CAP: "by group caps"}
    return (
        Span("   admits ", Role.LABEL),
        Span(f"up to {limits.admission}", Role.TEXT),
        Span(f" {bound.get(limits.admission_from, '')}".rstrip(), Role.LABEL),
    )


def _seqs(limit: Limit | None) -> Line:
    if limit is None:
        return (Span("--", Role.OFF),)
    if not limit.available:
        return (Span(f"{limit.wanted} fixed", Role.OFF),)
    return (
        Span(str(limit.wanted), Role.STRONG, "set_max_num_seqs"),
        Span(f" of {limit.ceiling}", Role.LABEL, "set_max_num_seqs"),
    )


def _caps(limits: Limits, room: int) -> Line:
    caps = limits.group_caps
    if not caps:
        return (Span("--", Role.OFF),)
    if not any(cap.available for cap in caps):
        return (Span("fixed", Role.OFF),)
    ceiling = max(cap.ceiling for cap in caps)
    if all(cap.target is None for cap in caps):
        return (Span("unset", Role.TEXT), Span(f" of {ceiling}", Role.LABEL))
    listed = " ".join(str(cap.wanted) for cap in caps)
    if len(listed) > room:
        lowered = sum(cap.lowered for cap in caps)
        listed = f"{lowered} of {len(caps)} groups lowered,"
    return (Span(listed, Role.STRONG), Span(f" of {ceiling}", Role.LABEL))


def _progress(scene: Scene, room: int) -> Line:
    """Unfolds while target and effective differ; else since when the limits are in force."""
    snapshot, limits = scene.snapshot, scene.snapshot.limits
    if snapshot.engine.notice:
        return (Span(clean(snapshot.engine.notice), Role.WATCH),)
    for limit in (limits.max_num_seqs, *limits.group_caps):
        if limit is not None and not limit.available and limit.unavailable_reason:
            name = "max_num_seqs" if limit.group is None else "group caps"
            return (Span(f"{name} cannot change: {clean(limit.unavailable_reason)}", Role.LABEL),)
    seqs = limits.max_num_seqs
    if seqs is not None and seqs.effective > seqs.wanted:
        return _drain("max_num_seqs", seqs, snapshot.running, room)
    draining = [cap for cap in limits.group_caps if cap.effective > cap.wanted and cap.target is not None]
    if draining:
        cap = max(draining, key=lambda cap: cap.effective - cap.wanted)
        more = f", {len(draining) - 1} more groups drain" if len(draining) > 1 else ""
        return (*_drain(f"cap of group {cap.group}", cap, cap.effective, room), Span(more, Role.LABEL))
    if not limits.generation:
        return (Span("as the engine was started; nothing has been changed", Role.LABEL),)
    if limits.in_force_step is None:
        return (
            Span(f"accepted at step {count(limits.accepted_step)}, in force with the next step", Role.NOTE),
        )
    settled, over = limits.settled_step, snapshot.running - (limits.admission or snapshot.running)
    done = f", draining {over} more" if over > 0 else ", settling"
    if settled is not None:
        done = f", settled at step {count(settled)}"
    return (Span(f"in force since step {count(limits.in_force_step)}{done}", Role.LABEL),)


def _drain(name: str, limit: Limit, running: int, room: int) -> Line:
    line: Line = (
        Span(f"{name}  ", Role.LABEL),
        Span(f"target {limit.wanted}", Role.NOTE),
        Span(" ◀─ ", Role.NOTE),
        Span(f"{running} running", Role.STRONG),
        Span(f", draining {max(0, running - limit.wanted)} more", Role.TEXT),
    )
    end: Line = (Span(f" ── ceiling {limit.ceiling}", Role.LABEL),)
    return (*line, *end) if width_of(line) + width_of(end) <= room else line
