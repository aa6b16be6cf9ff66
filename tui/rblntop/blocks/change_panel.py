"""The panel in which a limit is changed: typed, checked, foreseen, and tried or kept."""

from __future__ import annotations

from rblntop.blocks.panel_frame import entry, framed, key, label, one_line
from rblntop.limit_draft import (
    TRIAL_S,
    Entry,
    LimitDraft,
    Phase,
    ceiling_reason,
    drafted_limits,
    effect,
    problem,
    warning,
)
from rblntop.model import EngineChange, Limit, LimitKind, Preview
from rblntop.scene import Scene
from rblntop.text.cells import clean, cut, left
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span
from rblntop.text.numbers import known, percent

HEIGHT = 7
"""Rows that it needs."""
FULL_HEIGHT = 10
"""Rows that it fills where there is room; more with several engines."""
LABEL = 11


def change_panel(draft: LimitDraft, scene: Scene, width: int, rows: int = HEIGHT) -> list[Line]:
    """A box of ``rows`` lines; the rows of least worth give way."""
    # The effect is that on the engine on the screen; of several each has a line.
    head = [_entry(draft, scene)] if draft.engines else [_entry(draft, scene), _effect(draft, scene)]
    tail = [_reason(draft, width), _verdict(draft, scene)]
    room = rows - 2 - len(head) - len(tail)
    several = _engines(draft, scene, width)
    middle = [*several, _estimate(draft), _allowed(draft, scene), _reverts(draft), _force(scene)]
    middle = [line for line in middle if line][: max(room, 0)]
    moved = f"asks for generation {draft.generation}" if draft.generation is not None else ""
    return framed(
        _key_of(draft), _name(draft, scene), [*head, *middle, *tail], _keys(draft, scene), width, rows, moved
    )


def rows_wanted(draft: LimitDraft) -> int:
    """Rows in which all of it can be seen."""
    return FULL_HEIGHT + len(draft.engines)


def _key_of(draft: LimitDraft) -> str:
    return "M" if draft.kind is LimitKind.MAX_NUM_SEQS else "G"


def _name(draft: LimitDraft, scene: Scene) -> str:
    name = "max_num_seqs"
    if draft.kind is not LimitKind.MAX_NUM_SEQS:
        name = "cap of all groups" if draft.group is None else f"cap of group {draft.group}"
    if draft.engines:
        return f"{name} of {len(draft.engines)} engines, all or none"
    return f"{name} of {cut(clean(scene.snapshot.engine.name), 30)}"


def _entry(draft: LimitDraft, scene: Scene) -> Line:
    bad = bool(_not_possible(draft, scene)) and draft.value is not None
    typing = draft.editable and draft.entry is Entry.VALUE
    line: Line = (
        label("new value"),
        Span("[−]", Role.KEY if draft.editable else Role.OFF, "panel.step(-1)"),
        entry(draft.text, width=8, chosen=typing, bad=bad, action="panel.enter_value"),
        Span("[+]", Role.KEY if draft.editable else Role.OFF, "panel.step(1)"),
        Span("   now ", Role.LABEL),
        Span(_now(drafted_limits(draft, scene.snapshot.limits)), Role.STRONG),
    )
    if draft.kind is LimitKind.GROUP_CAP and draft.editable and len(scene.snapshot.groups) > 1:
        line += (
            Span("   group ", Role.LABEL),
            Span("[◀]", Role.KEY, "panel.group(-1)"),
            Span(f" {'all' if draft.group is None else draft.group} ", Role.STRONG),
            Span("[▶]", Role.KEY, "panel.group(1)"),
        )
    return line


def _now(limits: tuple[Limit, ...]) -> str:
    if not limits:
        return "--"
    now = " ".join(str(limit.wanted) for limit in limits[:8])
    return f"{now} (unset)" if all(limit.target is None for limit in limits) else now


def _allowed(draft: LimitDraft, scene: Scene) -> Line:
    limits = drafted_limits(draft, scene.snapshot.limits)
    if not limits:
        return (label("allowed"), Span("--", Role.OFF))
    floor, ceiling = max(limit.floor for limit in limits), min(limit.ceiling for limit in limits)
    return (
        label("allowed"),
        Span(f"{floor} to {ceiling}", Role.TEXT),
        Span(f"   {ceiling} is {ceiling_reason(draft, scene.snapshot)}", Role.LABEL),
    )


def _effect(draft: LimitDraft, scene: Scene) -> Line:
    if problem(draft, scene.snapshot):
        return (label("effect"), Span("--", Role.OFF))
    return (label("effect"), Span(effect(draft, scene.snapshot), Role.TEXT))


def _estimate(draft: LimitDraft) -> Line:
    """Of one engine, as its daemon foresees it from the last minute."""
    if draft.engines or not draft.outlook:
        return ()
    preview = draft.outlook[0].preview
    if preview is None:
        return ()
    parts = []
    batches = [
        f"{group.mean_decode_batch_now:.1f} -> {group.mean_decode_batch_then:.1f}"
        for group in preview.groups
        if group.group == draft.group
        and known(group.mean_decode_batch_now)
        and known(group.mean_decode_batch_then)
    ]
    if batches:
        parts.append(f"decode batch of group {draft.group} {batches[0]}")
    parts += _pads_and_drain(preview)
    if preview.decode_steps and not preview.steps_in_smaller_bucket and known(preview.decode_pad_ratio_now):
        parts.append("no step in a smaller bucket")
    return (label("last 60 s"), Span("   ".join(parts), Role.TEXT)) if parts else ()


def _pads_and_drain(preview: Preview) -> list[str]:
    parts = []
    if known(preview.decode_pad_ratio_now) and known(preview.decode_pad_ratio_then):
        now, then = percent(preview.decode_pad_ratio_now), percent(preview.decode_pad_ratio_then)
        parts.append(f"padding {now} -> {then}")
    if preview.draining:
        about = (
            f" in about {duration(preview.drain_estimate_s)}" if preview.drain_estimate_s is not None else ""
        )
        parts.append(f"{preview.draining} drain{about}")
    return parts


def _engines(draft: LimitDraft, scene: Scene, width: int) -> list[Line]:
    """A line for each of several engines."""
    if not draft.engines:
        return []
    before = {one.engine.instance_id: one for one in scene.marked}
    foreseen = {change.instance_id: change for change in draft.outlook}
    lines: list[Line] = []
    for instance in draft.engines:
        snapshot = before.get(instance)
        name = clean(snapshot.engine.name) if snapshot is not None else "gone"
        now = _now(drafted_limits(draft, snapshot.limits)) if snapshot is not None else "--"
        then = str(draft.value) if draft.value is not None else "--"
        line: Line = (label(""), Span(left(name, 20), Role.STRONG), Span(f"  {now} -> {then}", Role.TEXT))
        lines.append((*line, Span(_foreseen(foreseen.get(instance)), Role.LABEL)))
    return lines


def _foreseen(change: EngineChange | None) -> str:
    if change is None or change.preview is None:
        return ""
    return "".join(f"   {part}" for part in _pads_and_drain(change.preview)) or "   nothing to drain"


def _reverts(draft: LimitDraft) -> Line:
    return (
        label("reverts"),
        Span(f"{duration(TRIAL_S)} after it has settled, unless kept with K", Role.TEXT),
        Span("   Ctrl+K does not try it first", Role.LABEL),
    )


def _force(scene: Scene) -> Line:
    step = scene.window.step_p50_s
    about = f", about {duration(step)} from now" if step else ""
    return (label("in force"), Span(f"at the next schedule(){about}", Role.TEXT))


def _reason(draft: LimitDraft, width: int) -> Line:
    typing = draft.editable and draft.entry is Entry.REASON
    return (
        label("reason"),
        entry(draft.reason, width=max(12, min(60, width - 40)), chosen=typing, action="panel.enter_reason"),
        Span("  for the log" if width >= 70 else "", Role.LABEL),
    )


def _not_possible(draft: LimitDraft, scene: Scene) -> str:
    """Why the value cannot be; that it is the present one is no fault."""
    return "" if _same(draft, scene) else problem(draft, scene.snapshot)


def _verdict(draft: LimitDraft, scene: Scene) -> Line:
    """Why not, or what to know about it."""
    if draft.phase is Phase.SENDING:
        return (label("progress"), Span("◌ sent, waiting for the scheduler's lock", Role.NOTE))
    if draft.phase is Phase.REFUSED:
        return (Span(left("■ refused", LABEL), Role.ACT), Span(one_line(draft.message), Role.ACT))
    if why_not := _not_possible(draft, scene):
        return (Span(left("▲ not set", LABEL), Role.WATCH), Span(why_not, Role.WATCH))
    if draft.outlook_refusal:
        return (
            Span(left("▲ not set", LABEL), Role.WATCH),
            Span(one_line(draft.outlook_refusal), Role.WATCH),
        )
    warned = [text for change in draft.outlook for text in change.warnings]
    note = warning(draft, scene.snapshot) or (one_line(warned[0]) if warned else "")
    note = note or problem(draft, scene.snapshot)
    return (label("note"), Span(note, Role.NOTE)) if note else ()


def _keys(draft: LimitDraft, scene: Scene) -> Line:
    possible = draft.editable and not problem(draft, scene.snapshot) and not draft.outlook_refusal
    line: Line = (
        *key("Enter", "try", "panel.send", possible=possible),
        *key("Ctrl+K", "apply and keep", "panel.send_and_keep", possible=possible),
        *key("Esc", "leave", "panel.leave"),
        *key("Tab", "reason" if draft.entry is Entry.VALUE else "value", "panel.next_entry"),
    )
    return line


def _same(draft: LimitDraft, scene: Scene) -> bool:
    limits = drafted_limits(draft, scene.snapshot.limits)
    return bool(limits) and all(limit.available and limit.wanted == draft.value for limit in limits)
