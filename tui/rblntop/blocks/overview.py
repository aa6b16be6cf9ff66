"""All engines of a daemon, one a row: what each does, and its verdict in few words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rblntop.blocks.verdict_line import LOOK
from rblntop.model import EngineState
from rblntop.scene import Scene
from rblntop.text.cells import clean, left, right
from rblntop.text.line import Line, Role, Span, fit, spread
from rblntop.text.numbers import count, percent, rate
from rblntop.text.words import STATE
from rblntop.verdict import Level, judge

STATE_ROLE = {
    EngineState.SERVING: Role.GOOD,
    EngineState.IDLE: Role.LABEL,
    EngineState.STALLED: Role.ACT,
    EngineState.GONE: Role.ACT,
    EngineState.CLOSED: Role.NOTE,
    EngineState.STARTING: Role.NOTE,
}
WORST_FIRST = (Level.ACT, Level.WATCH, Level.NOTE, Level.GOOD)


@dataclass(frozen=True, slots=True)
class _Sizes:
    name: int
    model: int


def overview(scenes: Sequence[Scene], chosen: int, first: int, width: int, rows: int) -> list[Line]:
    """A heading, the names of the columns, the engines from ``first`` on, and the sums of all."""
    sizes = _sizes(scenes, width)
    room = engines_that_fit(rows)
    first = min(max(first, 0), max(0, len(scenes) - room))
    lines: list[Line] = [_heading(scenes, first, room, width), (), _columns(sizes, width)]
    for at in range(first, min(first + room, len(scenes))):
        lines.append(_row(scenes[at], at, at == chosen, sizes, width))
    if not scenes:
        lines.append(fit((Span("  no engine yet", Role.LABEL),), width))
    else:
        lines.append(_sum(scenes, sizes, width))
    return lines[: max(rows, 0)]


def engines_that_fit(rows: int) -> int:
    """Engines in so many rows."""
    return max(1, rows - 4)


def _sizes(scenes: Sequence[Scene], width: int) -> _Sizes:
    longest = max((len(name) for scene in scenes for name in scene.engines), default=8)
    name = min(max(8, longest), 28 if width >= 120 else 18)
    return _Sizes(name, 20 if width >= 140 else 0)


def _heading(scenes: Sequence[Scene], first: int, room: int, width: int) -> Line:
    levels = [judge(scene).level for scene in scenes]
    line: Line = (Span(" ENGINES  ", Role.TITLE), Span(f"{len(scenes)}", Role.STRONG))
    for level in WORST_FIRST:
        glyph, _, role = LOOK[level]
        if number := levels.count(level):
            line += (Span(f"   {glyph} {number}", role),)
    where = f"{first + 1}-{min(first + room, len(scenes))} of {len(scenes)} " if len(scenes) > room else ""
    return spread(line, (Span(where, Role.LABEL),), width)


def _columns(sizes: _Sizes, width: int) -> Line:
    model = left("model", sizes.model) + " " if sizes.model else ""
    text = f"      {left('name', sizes.name)}  {model}{left('state', 9)}"
    text += f"{right('run', 9)}{right('wait', 7)}{right('tok/s', 8)}{right('pad', 7)}   verdict"
    return fit((Span(text, Role.LABEL),), width)


def _row(scene: Scene, at: int, chosen: bool, sizes: _Sizes, width: int) -> Line:
    snapshot, engine = scene.snapshot, scene.snapshot.engine
    verdict = judge(scene)
    glyph, _, role = LOOK[verdict.level]
    name = scene.engines[at] if at < len(scene.engines) else engine.name
    action = f"focus_engine({at})"
    name_role = Role.CHOSEN_TAB if chosen else Role.TEXT
    spans = [
        Span("▸" if chosen else " ", Role.KEY),
        Span(right(str(at + 1), 3) + "  ", Role.LABEL, action),
        Span(left(clean(name) or "--", sizes.name), name_role, action),
        Span("  "),
    ]
    if sizes.model:
        spans.append(Span(left(clean(engine.model) or "--", sizes.model) + " ", Role.LABEL, action))
    may = snapshot.limits.admission
    running = count(snapshot.running) + (f"/{count(may)}" if may is not None else "")
    loud = verdict.level in (Level.WATCH, Level.ACT)
    spans += [
        Span(left(STATE[engine.state], 9), STATE_ROLE.get(engine.state, Role.LABEL), action),
        Span(right(running, 9), Role.STRONG, action),
        Span(right(count(snapshot.waiting), 7), Role.TEXT, action),
        Span(right(rate(scene.window.output_tokens_per_s), 8), Role.TEXT, action),
        Span(right(percent(scene.window.decode_pad_ratio), 7), Role.TEXT, action),
        Span(f"   {glyph} ", role, action),
        Span(clean(verdict.short or verdict.text), role if loud else Role.LABEL, action),
    ]
    return fit(tuple(spans), width)


def _sum(scenes: Sequence[Scene], sizes: _Sizes, width: int) -> Line:
    rates = [scene.window.output_tokens_per_s for scene in scenes]
    known = [value for value in rates if value is not None]
    before = 6 + sizes.name + 2 + (sizes.model + 1 if sizes.model else 0) + 9
    return fit(
        (
            Span(left("      all", before), Role.LABEL),
            Span(right(count(sum(scene.snapshot.running for scene in scenes)), 9), Role.STRONG),
            Span(right(count(sum(scene.snapshot.waiting for scene in scenes)), 7), Role.STRONG),
            Span(right(rate(sum(known)) if known else "--", 8), Role.STRONG),
        ),
        width,
    )
