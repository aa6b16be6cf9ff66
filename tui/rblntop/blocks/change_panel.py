"""The panel in which a limit is changed: typed, checked, sent, and followed until it has settled."""

from __future__ import annotations

from rblntop.limit_draft import (
    LimitDraft,
    Phase,
    ceiling_reason,
    drafted_limits,
    effect,
    problem,
    warning,
)
from rblntop.model import Limit, LimitKind
from rblntop.scene import Scene
from rblntop.text.cells import clean, left
from rblntop.text.line import Line, Role, Span, fit, width_of
from rblntop.text.numbers import count

HEIGHT = 6
LABEL = 11


def change_panel(draft: LimitDraft, scene: Scene, width: int) -> list[Line]:
    """A box of ``HEIGHT`` lines."""
    inner = width - 4
    body = [
        _entry(draft, scene),
        _allowed(draft, scene),
        _effect(draft, scene) if draft.editable else _progress(draft, scene),
        _verdict(draft, scene),
    ]
    return [_top(draft, width), *(_boxed(line, inner) for line in body), _bottom(draft, scene, width)]


def _name(draft: LimitDraft) -> str:
    if draft.kind is LimitKind.MAX_NUM_SEQS:
        return "max_num_seqs"
    return "cap of all groups" if draft.group is None else f"cap of group {draft.group}"


def _top(draft: LimitDraft, width: int) -> Line:
    key = "M" if draft.kind is LimitKind.MAX_NUM_SEQS else "G"
    head: Line = (
        Span(" ╭─ ", Role.FRAME),
        Span(key, Role.KEY),
        Span(f"  {_name(draft)} ", Role.STRONG),
    )
    return (*head, Span("─" * max(0, width - width_of(head) - 2) + "╮ ", Role.FRAME))


def _bottom(draft: LimitDraft, scene: Scene, width: int) -> Line:
    keys: Line = (Span(" ╰─ ", Role.FRAME), *_keys(draft, scene), Span(" ", Role.FRAME))
    return (*keys, Span("─" * max(0, width - width_of(keys) - 2) + "╯ ", Role.FRAME))


def _boxed(line: Line, inner: int) -> Line:
    return (Span(" │ ", Role.FRAME), *fit(line, inner - 2), Span(" │ ", Role.FRAME))


def _label(text: str) -> Span:
    return Span(left(text, LABEL), Role.LABEL)


def _entry(draft: LimitDraft, scene: Scene) -> Line:
    bad = bool(problem(draft, scene.snapshot)) and draft.value is not None and not _same(draft, scene)
    role = Role.ENTRY_BAD if bad else Role.ENTRY if draft.editable else Role.STRONG
    text = f" {draft.text}{'▏' if draft.editable else ''}"
    line: Line = (
        _label("new value"),
        Span("[−]", Role.KEY if draft.editable else Role.OFF, "panel.step(-1)"),
        Span(left(text, 8), role),
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
        return (_label("allowed"), Span("--", Role.OFF))
    floor, ceiling = max(limit.floor for limit in limits), min(limit.ceiling for limit in limits)
    return (
        _label("allowed"),
        Span(f"{floor} to {ceiling}", Role.TEXT),
        Span(f"   {ceiling} is {ceiling_reason(draft, scene.snapshot)}", Role.LABEL),
    )


def _effect(draft: LimitDraft, scene: Scene) -> Line:
    if problem(draft, scene.snapshot):
        return (_label("effect"), Span("--", Role.OFF))
    return (_label("effect"), Span(effect(draft, scene.snapshot), Role.TEXT))


def _verdict(draft: LimitDraft, scene: Scene) -> Line:
    """Why not, or what to know about it."""
    if draft.phase is Phase.REFUSED:
        return (Span(left("■ refused", LABEL), Role.ACT), Span(_one_line(draft.message), Role.ACT))
    if draft.message:
        return (Span(left("▲ warning", LABEL), Role.WATCH), Span(_one_line(draft.message), Role.TEXT))
    if not draft.editable:
        return ()
    why_not = problem(draft, scene.snapshot)
    if why_not and not _same(draft, scene):
        return (Span(left("▲ not set", LABEL), Role.WATCH), Span(why_not, Role.WATCH))
    note = warning(draft, scene.snapshot) or why_not
    return (_label("note"), Span(note, Role.NOTE)) if note else ()


def _progress(draft: LimitDraft, scene: Scene) -> Line:
    if draft.phase is Phase.SENDING:
        return (_label("progress"), Span("◌ sent, waiting for the scheduler's lock", Role.NOTE))
    if not draft.sent:
        return ()
    done = Role.GOOD
    line: Line = (_label("progress"), Span(f"✔ accepted, generation {draft.generation}", done))
    if draft.in_force_step is None:
        return (*line, Span("   ◌ in force at the next step", Role.NOTE))
    line += (Span(f"   ✔ in force at step {count(draft.in_force_step)}", done),)
    if draft.phase is Phase.SETTLED:
        return (*line, Span(f"   ✔ settled at {count(draft.settled_step)}", done))
    over = scene.snapshot.running - (scene.snapshot.limits.admission or 0)
    return (*line, Span(f"   ◌ draining {over} more" if over > 0 else "   ◌ settling", Role.NOTE))


def _keys(draft: LimitDraft, scene: Scene) -> Line:
    if draft.sent:
        return (Span("Esc", Role.KEY, "panel.leave"), Span(" close", Role.LABEL, "panel.leave"))
    possible = draft.editable and not problem(draft, scene.snapshot)
    line: Line = (
        Span("Enter", Role.KEY if possible else Role.OFF, "panel.send"),
        Span(" set", Role.LABEL if possible else Role.OFF, "panel.send"),
        Span("   Esc", Role.KEY, "panel.leave"),
        Span(" leave", Role.LABEL, "panel.leave"),
        Span("   ↑↓", Role.KEY),
        Span(" value", Role.LABEL),
    )
    if draft.kind is LimitKind.GROUP_CAP:
        line += (Span("   ←→", Role.KEY), Span(" group", Role.LABEL))
    return line


def _same(draft: LimitDraft, scene: Scene) -> bool:
    limits = drafted_limits(draft, scene.snapshot.limits)
    return bool(limits) and all(limit.available and limit.wanted == draft.value for limit in limits)


def _one_line(text: str) -> str:
    return clean(" ".join(text.split()))
