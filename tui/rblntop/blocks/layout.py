"""How many rows each part of the screen gets."""

from __future__ import annotations

from dataclasses import dataclass

from rblntop.blocks import change_panel, limits_line, lower_area, summary

TALLEST_STRIP = 5
GAPS = 4
TALL = 30
"""Rows from which the summary has headings, and the limits always two lines."""
MIN_CHANGE_WIDTH = 60
"""The number that is typed, what it is now, and of which group."""
MIN_CHANGE_HEIGHT = 1 + 1 + summary.COMPACT + 3 + limits_line.HEIGHT + change_panel.HEIGHT + 1
"""Header, verdict, one group, panel and keys, without a line of tabs."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of each part, from top to bottom. A gap is 0 or 1 empty row."""

    tabs: int
    summary: int
    limits: int
    groups: int
    """The whole table, heading and sum included."""
    strip_height: int
    """Rows of each group."""
    panels: int
    gap_after_verdict: int
    gap_after_summary: int
    gap_after_groups: int
    gap_after_limits: int
    gap_after_change: int


def room_to_change(*, engine_count: int) -> tuple[int, int]:
    """Columns and rows below which the change panel cannot be seen. It would still take the keys."""
    return MIN_CHANGE_WIDTH, MIN_CHANGE_HEIGHT + (1 if engine_count > 1 else 0)


def layout(
    height: int, *, group_count: int, engine_count: int, changing: bool, unfolded: bool = True
) -> Layout:
    """Header, verdict, summary, groups and limits never give way; what is below does.

    A tall screen draws the strips higher before it leaves rows empty.

    Args:
        height: Of the terminal.
        group_count: Groups of the engine.
        engine_count: Engines to choose among.
        changing: The change panel is open.
        unfolded: There is something to say about the limits that needs the second line.
    """
    tabs = 1 if engine_count > 1 else 0
    wanted = max(1, group_count)
    summary_rows = summary.HEIGHT if height >= TALL else summary.COMPACT
    limits_rows = limits_line.HEIGHT if height >= TALL or unfolded else 1
    fixed = 1 + tabs + 1 + summary_rows + limits_rows + 1
    strip_height = 1
    # The panel takes the place of the lower part: opening it must not change the height of the strips.
    while (
        strip_height < TALLEST_STRIP
        and height - fixed - GAPS - (wanted * (strip_height + 1) + 2) >= lower_area.HEIGHT
    ):
        strip_height += 1
    if changing:
        fixed += change_panel.HEIGHT
    # Rather no empty row between the parts than a group that cannot be seen.
    gaps = min(GAPS, max(0, height - fixed - (wanted * strip_height + 2)))
    groups = min((wanted * strip_height if group_count else 1) + 2, max(3, height - fixed - gaps))
    left = max(0, height - fixed - gaps - groups)
    gap_after_change = int(changing and left > 1)
    return Layout(
        tabs,
        summary_rows,
        limits_rows,
        groups,
        strip_height,
        left - gap_after_change,
        gap_after_verdict=int(gaps > 2),
        gap_after_summary=int(gaps > 0),
        gap_after_groups=int(gaps > 1),
        gap_after_limits=int(gaps > 3),
        gap_after_change=gap_after_change,
    )
