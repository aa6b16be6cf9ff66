"""How the rows of a terminal are shared."""

from __future__ import annotations

import pytest

from rblntop.blocks import change_panel, lower_area, summary
from rblntop.blocks.layout import Layout, layout


def used(rows: Layout, *, changing: bool = False) -> int:
    gaps = (
        rows.gap_after_verdict
        + rows.gap_after_summary
        + rows.gap_after_groups
        + rows.gap_after_limits
        + rows.gap_after_change
    )
    panel = change_panel.HEIGHT if changing else 0
    header, verdict, keys = 1, 1, 1
    return (
        header
        + rows.tabs
        + verdict
        + rows.summary
        + rows.groups
        + rows.limits
        + panel
        + rows.panels
        + keys
        + gaps
    )


@pytest.mark.parametrize("groups", [0, 1, 2, 4, 8, 64])
@pytest.mark.parametrize("engines", [1, 3])
@pytest.mark.parametrize("changing", [False, True])
def test_the_parts_never_take_more_rows_than_there_are(groups, engines, changing):
    for height in range(24, 61):
        rows = layout(height, group_count=groups, engine_count=engines, changing=changing)
        assert used(rows, changing=changing) <= height
        assert rows.groups >= 3


def test_four_groups_are_complete_at_80x24_also_while_a_limit_is_changed():
    assert layout(24, group_count=4, engine_count=1, changing=False).groups == 6
    assert layout(24, group_count=4, engine_count=1, changing=True).groups == 6


def test_opening_the_panel_does_not_change_the_height_of_the_strips():
    for height in range(24, 61):
        before = layout(height, group_count=4, engine_count=1, changing=False)
        after = layout(height, group_count=4, engine_count=1, changing=True)
        assert before.strip_height == after.strip_height


def test_the_lower_panels_give_way_to_the_groups():
    assert layout(24, group_count=12, engine_count=1, changing=False).panels == 0
    assert layout(24, group_count=4, engine_count=1, changing=False, unfolded=False).panels == 7
    assert layout(36, group_count=8, engine_count=1, changing=False).panels > 7


def test_a_tall_screen_draws_higher_strips():
    tall = layout(50, group_count=4, engine_count=1, changing=False)
    assert tall.strip_height == 3
    assert tall.panels >= lower_area.HEIGHT


def test_the_summary_keeps_its_figures_and_loses_its_headings_on_a_low_screen():
    assert layout(24, group_count=4, engine_count=1, changing=False).summary == summary.COMPACT
    assert layout(36, group_count=4, engine_count=1, changing=False).summary == summary.HEIGHT


def test_the_second_line_of_limits_unfolds_only_when_there_is_something_to_say():
    folded = layout(24, group_count=4, engine_count=1, changing=False, unfolded=False)
    assert (folded.limits, folded.groups) == (1, 6)
    assert layout(24, group_count=4, engine_count=1, changing=False, unfolded=True).limits == 2
