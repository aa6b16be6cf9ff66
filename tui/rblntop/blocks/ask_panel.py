"""The panel that asks before something is done, or explains the verdict."""

from __future__ import annotations

from collections.abc import Sequence

from rblntop.ask import Ask, Subject, ask_problem, reset_values, undo_values
from rblntop.blocks.explanation import explanation
from rblntop.blocks.panel_frame import entry, framed, key, label, one_line
from rblntop.limit_draft import TRIAL_S, Phase
from rblntop.model import LimitValue, Snapshot
from rblntop.scene import Scene
from rblntop.text.cells import clean, cut, left
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span
from rblntop.text.numbers import count
from rblntop.who import by_and_when

LABEL = 11
FULL_HEIGHT = 9
KEYS = {
    Subject.CLOSE: ("A", "close admission", "close"),
    Subject.OPEN: ("A", "open admission", "open"),
    Subject.RESET: ("R", "reset all limits", "reset"),
    Subject.UNDO: ("U", "undo the last kept change", "try the earlier values"),
    Subject.EXPLAIN: ("X", "why the verdict says so", ""),
}


def ask_panel(ask: Ask, scene: Scene, width: int, rows: int) -> list[Line]:
    """A box of ``rows`` lines."""
    letter, name, verb = KEYS[ask.subject]
    if ask.subject is Subject.EXPLAIN:
        body = explanation(scene, width - 6)
        return framed(letter, name, body, key("Esc", "close", "panel.leave"), width, rows)
    body = [*_body(ask, scene, max(1, rows - 4), width), _reason(ask, width), _verdict(ask, scene)]
    possible = ask.editable and not ask_problem(ask, scene.snapshot)
    keys: Line = (
        *key("Enter", verb, "panel.send", possible=possible),
        *key("Esc", "leave", "panel.leave"),
    )
    if ask.subject is Subject.CLOSE:
        keys += key("Tab", "time" if ask.in_reason else "reason", "panel.next_entry")
        keys += key("←→", "until", "panel.until")
    note = f"asks for generation {ask.generation}" if ask.subject in (Subject.CLOSE, Subject.UNDO) else ""
    return framed(
        letter, f"{name} of {cut(clean(scene.snapshot.engine.name), 30)}", body, keys, width, rows, note
    )


def rows_wanted(ask: Ask, scene: Scene, width: int) -> int:
    """Rows in which all of it can be seen."""
    if ask.subject is Subject.EXPLAIN:
        return len(explanation(scene, width - 6)) + 2
    if ask.subject in (Subject.RESET, Subject.UNDO):
        return min(FULL_HEIGHT + len(_values(ask, scene.snapshot)), 20)
    return FULL_HEIGHT


def _body(ask: Ask, scene: Scene, room: int, width: int) -> list[Line]:
    if ask.subject is Subject.CLOSE:
        lines = _close(ask, scene)
    elif ask.subject is Subject.OPEN:
        lines = _open(scene)
    else:
        lines = _back(ask, scene, room)
    return lines[:room]


def _close(ask: Ask, scene: Scene) -> list[Line]:
    snapshot = scene.snapshot
    typing = ask.editable and not ask.in_reason
    when: Line = (
        label("closed for"),
        Span("◀ ", Role.KEY, "panel.until"),
        entry(
            "until opened" if ask.until_opened else ask.minutes,
            width=16,
            chosen=typing,
            action="panel.enter_value",
        ),
        Span(" ▶", Role.KEY, "panel.until"),
        Span("   [A] opens it" if ask.until_opened else "  minutes, then it opens by itself", Role.LABEL),
    )
    run, wait = count(snapshot.running), count(snapshot.waiting)
    return [
        when,
        (
            label("effect"),
            Span(f"{run} run and finish; {wait} waiting ones and all new ones wait", Role.TEXT),
        ),
        (label("drained"), Span("once nothing runs: the verdict line counts down", Role.LABEL)),
    ]


def _open(scene: Scene) -> list[Line]:
    snapshot = scene.snapshot
    may = snapshot.limits.admission
    return [
        (
            label("effect"),
            Span(
                f"{count(snapshot.waiting)} waiting requests may run, up to {count(may)} at once", Role.TEXT
            ),
        ),
        (label("drained"), Span(drained(snapshot), Role.TEXT)),
    ]


def drained(snapshot: Snapshot) -> str:
    """How far a closed engine has run empty."""
    if snapshot.running:
        return f"not yet: {count(snapshot.running)} still run"
    return "yes: nothing runs any more"


def _back(ask: Ask, scene: Scene, room: int) -> list[Line]:
    snapshot = scene.snapshot
    values = _values(ask, snapshot)
    lines: list[Line] = []
    if ask.undone is not None:
        lines.append(
            (
                label("change"),
                Span(f"generation {ask.undone.generation}: {by_and_when(ask.undone, snapshot)}", Role.TEXT),
            )
        )
    elif snapshot.limits.trial is not None:
        lines.append((label("trial"), Span("the change on trial ends with it", Role.NOTE)))
    shown = values if len(values) <= room - len(lines) else values[: max(0, room - len(lines) - 1)]
    lines += [_value(value, snapshot) for value in shown]
    if len(shown) < len(values):
        lines.append((label(""), Span(f"and {len(values) - len(shown)} more", Role.LABEL)))
    if ask.subject is Subject.UNDO:
        lines.append(
            (
                label("reverts"),
                Span(f"{duration(TRIAL_S)} after it has settled, unless kept with K", Role.TEXT),
            )
        )
    else:
        state = snapshot.limits.admission_state
        if state.closed:
            lines.append((label("admission"), Span("stays closed: [A] opens it", Role.TEXT)))
    return lines


def _values(ask: Ask, snapshot: Snapshot) -> Sequence[LimitValue]:
    return undo_values(ask, snapshot) if ask.subject is Subject.UNDO else reset_values(snapshot)


def _value(value: LimitValue, snapshot: Snapshot) -> Line:
    name = "max_num_seqs" if value.group is None else f"cap of group {value.group}"
    limit = snapshot.limits.max_num_seqs if value.group is None else snapshot.limits.cap(value.group)
    unset = "unset" if limit is None else f"unset, which is {limit.ceiling}"
    old, new = (unset if number is None else str(number) for number in (value.old, value.new))
    return (label(""), Span(left(name, 18), Role.LABEL), Span(f"{old} -> {new}", Role.STRONG))


def _reason(ask: Ask, width: int) -> Line:
    typing = ask.editable and (ask.in_reason or ask.subject is not Subject.CLOSE)
    return (
        label("reason"),
        entry(ask.reason, width=max(12, min(60, width - 40)), chosen=typing, action="panel.enter_reason"),
        Span("  for the log" if width >= 70 else "", Role.LABEL),
    )


def _verdict(ask: Ask, scene: Scene) -> Line:
    if ask.phase is Phase.SENDING:
        return (label("progress"), Span("◌ sent, waiting for the scheduler's lock", Role.NOTE))
    if ask.phase is Phase.REFUSED:
        return (Span(left("■ refused", LABEL), Role.ACT), Span(one_line(ask.message), Role.ACT))
    if why_not := ask_problem(ask, scene.snapshot):
        return (Span(left("▲ not done", LABEL), Role.WATCH), Span(why_not, Role.WATCH))
    return ()
