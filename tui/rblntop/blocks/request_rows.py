"""Unfinished requests as rows: who waits longest, or all of them. Never what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rblntop.blocks.figure import title
from rblntop.model import EngineRequest, RequestState
from rblntop.scene import Scene
from rblntop.text.cells import clean, left, right
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span, fit, spread
from rblntop.text.numbers import MISSING, count

STATE = {
    RequestState.UNKNOWN: MISSING,
    RequestState.WAITING: "waiting",
    RequestState.RUNNING: "running",
    RequestState.PREEMPTED: "preempted",
    RequestState.HELD: "held",
    RequestState.REMOTE_KV: "remote KV",
}
QUEUED = (RequestState.WAITING, RequestState.PREEMPTED, RequestState.REMOTE_KV)
NOT_TOLD = "requests are not told: the daemon or the probe is an older one, or has not answered yet"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table, and what it is sorted by."""

    name: str
    width: int
    key: Callable[[EngineRequest], tuple[float, ...]]
    text: Callable[[EngineRequest], str]
    at_left: bool = False


def _number(value: int | None) -> str:
    return MISSING if value is None else str(value)


def _group(request: EngineRequest) -> float:
    return request.group if request.group is not None else 1e9


COLUMNS: tuple[Column, ...] = (
    Column("age", 8, lambda one: (-one.age_s,), lambda one: duration(one.age_s)),
    Column("wait", 8, lambda one: (-(one.wait_s or 0.0),), lambda one: duration(one.wait_s)),
    Column("prompt", 9, lambda one: (-one.prompt_tokens,), lambda one: count(one.prompt_tokens)),
    Column("output", 8, lambda one: (-one.output_tokens,), lambda one: count(one.output_tokens)),
    Column("group", 7, lambda one: (_group(one), -one.age_s), lambda one: _number(one.group)),
    Column("state", 11, lambda one: (one.state.value, -one.age_s), lambda one: STATE[one.state], True),
)
SORTS = tuple(column.name for column in COLUMNS)


def waiting_panel(scene: Scene, width: int, rows: int) -> list[Line]:
    """The requests that wait longest."""
    lines: list[Line] = [title("OLDEST WAITING", width)]
    table = scene.past.requests
    if not scene.snapshot.waiting:
        lines.append(fit((Span("none waits", Role.LABEL),), width))
    elif table is None:
        lines.append(fit((Span(MISSING, Role.OFF),), width))
    else:
        queue = sorted((one for one in table.requests if one.state in QUEUED), key=lambda one: -one.age_s)
        for one in queue[: max(0, rows - 1)]:
            prompt = f"  prompt {right(count(one.prompt_tokens), 7)}" if width >= 36 else ""
            end: Line = (Span(right(duration(one.age_s), 7), Role.STRONG), Span(prompt, Role.LABEL))
            lines.append(spread((Span(clean(one.id), Role.TEXT),), end, width))
    return lines[: max(rows, 0)]


def requests_panel(scene: Scene, width: int, rows: int) -> list[Line]:
    """All requests that the engine wrote down, sorted by a column."""
    table = scene.past.requests
    if table is None:
        return [title("REQUESTS", width), fit((Span(NOT_TOLD, Role.LABEL),), width)][: max(rows, 0)]
    column = next((one for one in COLUMNS if one.name == scene.request_sort), COLUMNS[0])
    found = [one for one in table.requests if _matches(one, scene.request_filter)]
    found.sort(key=lambda one: (*column.key(one), one.id))
    room = max(0, rows - 2)
    first = min(max(scene.first_request, 0), max(0, len(found) - room))
    lines: list[Line] = [_heading(scene, table.total, len(table.requests), found, first, room, width)]
    lines.append(_columns(scene, width))
    lines += [_row(one, width) for one in found[first : first + room]]
    if not found:
        lines.append(fit((Span("  none", Role.LABEL),), width))
    return lines[: max(rows, 0)]


def _matches(one: EngineRequest, text: str) -> bool:
    """By what can be seen of it."""
    group = "" if one.group is None else f"g{one.group}"
    seen = f"{one.id} {STATE[one.state]} {group}".lower()
    return all(word in seen for word in text.lower().split())


def _heading(
    scene: Scene, total: int, recorded: int, found: Sequence[EngineRequest], first: int, room: int, width: int
) -> Line:
    text = f"{count(total)} unfinished"
    if recorded < total:
        text += f", {count(recorded)} of them listed"
    if scene.request_filter:
        text += f", {count(len(found))} match {clean(scene.request_filter)!r}"
    if len(found) > room:
        text += f"   {first + 1}-{min(first + room, len(found))} of {len(found)}"
    start: Line = (Span("REQUESTS  ", Role.TITLE), Span(text, Role.LABEL))
    end: Line = (
        Span("[s]", Role.KEY, "next_request_sort"),
        Span(f" sorted by {scene.request_sort}", Role.LABEL, "next_request_sort"),
    )
    return spread(start, end, width)


def _id_width(width: int) -> int:
    return max(8, min(40, width - sum(column.width for column in COLUMNS) - 4))


def _columns(scene: Scene, width: int) -> Line:
    spans = [Span(left("  id", _id_width(width) + 2), Role.LABEL)]
    for column in COLUMNS:
        chosen = column.name == scene.request_sort
        name = f"▾{column.name}" if chosen else column.name
        text = "  " + left(name, column.width) if column.at_left else right(name, column.width)
        role = Role.CHOSEN if chosen else Role.LABEL
        spans.append(Span(text, role, f"sort_requests('{column.name}')"))
    return fit(tuple(spans), width)


def _row(one: EngineRequest, width: int) -> Line:
    queued = one.state in QUEUED
    spans = [Span("  " + left(clean(one.id) or MISSING, _id_width(width)), Role.TEXT)]
    for column in COLUMNS:
        text = column.text(one)
        cell = "  " + left(text, column.width) if column.at_left else right(text, column.width)
        role = Role.OFF if text == MISSING else Role.TEXT
        if column.at_left and queued:
            role = Role.NOTE
        spans.append(Span(cell, role))
    return fit(tuple(spans), width)
