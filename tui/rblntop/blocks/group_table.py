"""The groups, one a row: decode batch over bucket, padding, gap, cap, and the strip of the last minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rblntop.model import Group, GroupWindow, LimitKind, Step, StepKind, StripCell
from rblntop.scene import Scene
from rblntop.text.bars import batch_bar
from rblntop.text.cells import clean, left, right
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span, fit
from rblntop.text.numbers import MISSING, count, known, percent
from rblntop.text.strip import strip_rows

MAX_STRIP = 120


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Widths of the columns that change with the screen; 0 leaves one out."""

    bar: int
    gap: int
    cap: int
    strip: int


def table_columns(width: int) -> TableColumns:
    """The strip takes what is left, up to two minutes."""
    # A multiple of 8, as compiled buckets are: a request is then a whole number of cells or of eighths.
    bar_width, gap, cap = (8, 0, 8) if width < 100 else (8, 8, 13) if width < 160 else (16, 8, 16)
    sizes = TableColumns(bar_width, gap, cap, 0)
    room = width - _strip_at(sizes) - 1
    wider = max(0, room - MAX_STRIP) // 8 * 8
    return replace(sizes, bar=bar_width + min(wider, 16), strip=max(0, min(MAX_STRIP, room - wider)))


def _strip_at(sizes: TableColumns) -> int:
    """Cells left of the strip: group, running, bar, batch, padding, gap, cap and what parts them."""
    return 4 + 8 + sizes.bar + 7 + 6 + sizes.gap + 2 + sizes.cap + 1


def group_table(scene: Scene, width: int, rows: int, strip_height: int = 1) -> list[Line]:
    """A heading, the groups that fit into ``rows``, and the row of all."""
    sizes = table_columns(width)
    groups = scene.groups
    room = groups_that_fit(rows, strip_height)
    first, shown = visible_groups(scene, room)
    lines = [_heading(scene, sizes, width, first, len(shown))]
    for group in shown:
        drawn = drawn_strip(scene, group, sizes.strip, strip_height)
        lines.append(_row(scene, group, sizes, width, drawn[0]))
        lines += [fit((Span(" " * _strip_at(sizes)), *row), width) for row in drawn[1:]]
    if not groups:
        lines.append(fit((Span("  no groups known yet", Role.LABEL),), width))
    lines.append(_all(scene, sizes, width))
    return lines


def drawn_strip(scene: Scene, group: Group, width: int, height: int) -> list[Line]:
    """A cell a second; zoomed in, a cell a step, and each step is in the row that it took a turn of."""
    if not scene.zoomed:
        return strip_rows(group.strip, width, height)
    return strip_rows([step_cell(step, group.group) for step in scene.past.steps[-width:]], width, height)


def step_cell(step: Step, group: int) -> StripCell | None:
    """A step as a cell of a group's strip; None: another group's turn."""
    if step.kind is StepKind.EMPTY:
        return StripCell(0.0, 0.0, 0.0)
    if (step.row if step.group is None else step.group) != group:
        return None
    if step.kind is StepKind.PREFILL:
        return StripCell(0.0, 0.0, 1.0)
    size = step.padded_batch or step.requests
    decodes = max(0, step.requests - step.prefill_requests)
    return StripCell(decodes / size if size else 0.0, 1.0, 0.0)


def visible_groups(scene: Scene, room: int) -> tuple[int, Sequence[Group]]:
    """Index of the first group shown, and the groups shown."""
    groups = scene.groups
    first = min(max(scene.first_group, 0), max(0, len(groups) - room))
    return first, groups[first : first + room]


def groups_that_fit(rows: int, strip_height: int = 1) -> int:
    """Groups in a table of so many rows."""
    return max(1, (rows - 2) // strip_height)


def height_for(groups: int) -> int:
    """Rows that the whole table takes."""
    return max(1, groups) + 2


def _heading(scene: Scene, sizes: TableColumns, width: int, first: int, shown: int) -> Line:
    total = len(scene.groups)
    hidden = f"{first}-{first + shown - 1} of {total}" if shown < total else ""
    spans = [
        Span(" GROUP", Role.TITLE),
        Span("  run  ", Role.LABEL),
        Span(left("decode batch", sizes.bar + 7), Role.LABEL),
        Span(right("pad", 6), Role.LABEL),
    ]
    if sizes.gap:
        spans.append(Span(right("gap", sizes.gap), Role.LABEL))
    spans.append(Span("  " + left("cap", sizes.cap) + " ", Role.LABEL))
    spans.append(Span(left(_legend(scene, sizes.strip, hidden), sizes.strip), Role.LABEL))
    return fit(tuple(spans), width)


def _legend(scene: Scene, width: int, hidden: str) -> str:
    """What the strip shows, in as many words as there is room for."""
    over = "2 min" if width == MAX_STRIP else f"{width} s"
    if scene.zoomed:
        over = f"{min(width, len(scene.past.steps))} steps" if scene.past.steps else "no steps known"
    for text in (
        f"{hidden or over}   height = batch/bucket   P prefill   · empty",
        f"{hidden or over}  P prefill  · empty",
        hidden or over,
    ):
        if len(text) <= width:
            return text
    return hidden


def _row(scene: Scene, group: Group, sizes: TableColumns, width: int, drawn: Line) -> Line:
    figures = scene.window.group(group.group) or GroupWindow(group.group)
    action = f"set_group_cap({group.group})"
    spans: list[Span] = [
        Span(right(str(group.group), 4), Role.STRONG, action),
        Span(right(count(group.running), 6) + "  ", Role.TEXT),
        *_batch(group, scene, sizes.bar),
        Span(right(percent(figures.decode_pad_ratio), 6), _pad_role(figures.decode_pad_ratio)),
    ]
    if sizes.gap:
        spans.append(Span(right(duration(figures.token_gap_p50_s), sizes.gap), Role.TEXT))
    spans.append(Span("  "))
    spans.append(_cap(scene, group.group, sizes.cap, action))
    spans.append(Span(" "))
    spans.extend(drawn)
    return fit(tuple(spans), width)


def _batch(group: Group, scene: Scene, width: int) -> Line:
    """Against the largest bucket, so that groups compare at a glance whatever bucket each runs in."""
    batch, bucket = group.decode_batch, group.padded_batch
    if batch is None:
        return (Span(" " * width), Span(right(MISSING, 6) + " ", Role.OFF))
    cap = scene.snapshot.limits.cap(group.group)
    sizes = (*scene.snapshot.engine.decode_buckets, bucket or 0, cap.ceiling if cap is not None else 0)
    whole = max(sizes)
    filled, padding, track = batch_bar(batch, bucket, whole, width)
    role = Role.BAR if whole and batch > whole / 2 else Role.BAR_LOW
    text = f"{batch}/{bucket}" if bucket is not None else count(batch)
    return (
        Span(filled, role),
        Span(padding, Role.PAD),
        Span(track, Role.TRACK),
        Span(right(text, 6) + " ", Role.STRONG),
    )


def _cap(scene: Scene, group: int, width: int, action: str) -> Span:
    cap = scene.snapshot.limits.cap(group)
    if cap is None:
        return Span(left(MISSING, width), Role.OFF)
    if not cap.available:
        return Span(left("fixed", width), Role.OFF)
    text = f"{cap.wanted} of {cap.ceiling}" if cap.lowered else str(cap.wanted)
    if cap.effective > cap.wanted:
        text = f"{cap.wanted} ◀ {cap.effective}"
    if cap.lowered and width >= len(text) + 5:
        text += "  " + _who(scene, group)
    return Span(left(text, width), Role.STRONG if cap.lowered else Role.LABEL, action)


def _who(scene: Scene, group: int) -> str:
    """Who set the cap, as far as the log of changes goes back."""
    for change in scene.past.changes:
        if any(value.kind is LimitKind.GROUP_CAP and value.group == group for value in change.values):
            return clean(change.by)
    return ""


def _all(scene: Scene, sizes: TableColumns, width: int) -> Line:
    snapshot, window = scene.snapshot, scene.window
    batches = [group.decode_batch for group in snapshot.groups if group.decode_batch is not None]
    buckets = [group.padded_batch for group in snapshot.groups if group.padded_batch is not None]
    batch = count(sum(batches)) if batches else MISSING
    if buckets:
        batch += f"/{sum(buckets)}"
    spans: list[Span] = [
        Span(right("all", 4), Role.LABEL),
        Span(right(count(snapshot.running), 6) + "  ", Role.STRONG),
        Span(right(batch, sizes.bar + 6) + " ", Role.TEXT),
        Span(right(percent(window.decode_pad_ratio), 6), Role.TEXT),
    ]
    if sizes.gap:
        spans.append(Span(right(duration(window.token_gap_p50_s), sizes.gap), Role.TEXT))
    caps = [cap for cap in snapshot.limits.group_caps if cap.available]
    total = ""
    if any(cap.lowered for cap in caps):
        total = f"{sum(cap.wanted for cap in caps)} of {sum(cap.ceiling for cap in caps)}"
    spans.append(Span("  " + left(total, sizes.cap) + " ", Role.LABEL))
    spans.append(Span(_buckets(scene, sizes.strip), Role.LABEL))
    if snapshot.missed_records:
        spans.append(Span(f"   gap {count(snapshot.missed_records)} steps", Role.WATCH))
    return fit(tuple(spans), width)


def _buckets(scene: Scene, width: int) -> str:
    buckets = scene.snapshot.engine.decode_buckets
    if not buckets:
        return ""
    if len(buckets) == 1:
        return f"one bucket: {buckets[0]}"
    listed = "buckets " + " ".join(str(bucket) for bucket in buckets)
    return listed if len(listed) <= width else f"{len(buckets)} buckets, {buckets[0]} to {buckets[-1]}"


def _pad_role(ratio: float | None) -> Role:
    if ratio is None or not known(ratio):
        return Role.OFF
    return Role.TEXT if ratio < 0.25 else Role.STRONG
