"""Curves in braille, their scale, their axis and the marks of changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rblntop.blocks.changes_panel import change_lines, effect
from rblntop.blocks.graph import REQUESTS, TOKENS, WASTE, graph, nice
from rblntop.change_rows import ChangeRow
from rblntop.past import Past
from rblntop.scene import Scene
from rblntop.source import examples
from rblntop.text.braille import curve, glyph
from rblntop.text.line import plain, width_of
from rblntop.trend import Trend, TrendPoint

NOON_S = examples.NOON_S


def drawn(values, top, height, **how):
    return ["".join(glyph(dots) for dots in row) for row in curve(values, top, height, **how)]


def test_two_values_a_cell_and_four_levels():
    assert drawn([0, 1, 2, 3], 3, 1) == ["⡠⠊"]


def test_a_step_is_joined():
    assert drawn([0, 0, 7, 7], 7, 2) == [" ⡏", "⣀⠇"]


def test_a_gap_is_blank():
    assert drawn([3, 3, None, None, 3, 3], 3, 1) == ["⠉ ⠉"]


def test_an_area_is_filled_down_to_zero():
    assert drawn([3, 3, 1, 1], 3, 1, area=True) == ["⣿⣤"]


@pytest.mark.parametrize(
    ("value", "top"),
    [(0.2, 0.2), (571, 750), (99, 100), (1.1, 1.5), (0, 1.0), (float("nan"), 1.0), (1e308, 1.0)],
)
def test_the_scale_ends_at_a_round_number(value, top):
    assert nice(value) == pytest.approx(top)


def scene(*changes, seconds=600, span_s=600):
    trend = Trend()
    for second in range(seconds + 1):
        trend.add(
            TrendPoint(
                NOON_S - seconds + second, 700.0 if second < seconds / 2 else 500.0, 20, second / 5, 0.1, 0.02
            )
        )
    return replace(Scene(examples.serving()), past=Past(trend, changes=changes), span_s=span_s)


def test_a_graph_has_peak_scale_axis_and_exactly_its_size():
    for kind in (TOKENS, REQUESTS, WASTE):
        lines = graph(scene(), kind, 40, 8)
        assert [width_of(line) for line in lines] == [40] * 8
    lines = [plain(line) for line in graph(scene(), TOKENS, 40, 8)]
    assert lines[0].startswith("tokens/s")
    assert lines[0].endswith("peak 700")
    assert lines[-1].startswith("-10 min ─")
    assert lines[-1].endswith("─ now")


def test_the_legend_tells_curves_apart_without_colours():
    assert plain(graph(scene(), REQUESTS, 40, 6)[0]).startswith("running ▒  waiting ──")


def test_a_change_is_marked_at_its_time_in_every_graph():
    change = ChangeRow(NOON_S - 300, 7, "cap g2 8 -> 2", "ops", "set")
    for kind in (TOKENS, REQUESTS, WASTE):
        axis = plain(graph(scene(change), kind, 40, 6)[-1])
        assert axis[18:22].strip("─") == "◆7"


def test_a_mark_below_the_label_moves_the_label():
    change = ChangeRow(NOON_S - 590, 7, "", "", "")
    axis = plain(graph(scene(change), TOKENS, 40, 6)[-1])
    assert axis.startswith("◆7") or axis[1:].startswith("◆7")
    assert axis.endswith("10 min to now")


@pytest.mark.parametrize("ago_s", [0, 5, 20, 40])
def test_a_mark_at_the_end_keeps_its_place_and_its_number(ago_s):
    axis = plain(graph(scene(ChangeRow(NOON_S - ago_s, 12, "", "", "")), TOKENS, 40, 6)[-1])
    column = 39 - (int(NOON_S // 15) - int((NOON_S - ago_s) // 15))
    assert axis[column] == "◆"
    assert "12" in axis
    assert len(axis) == 40


def test_what_happens_later_has_no_mark():
    assert "◆" not in plain(graph(scene(ChangeRow(NOON_S + 9, 7, "", "", "")), TOKENS, 40, 6)[-1])


def test_without_a_past_it_says_so():
    lines = [plain(line) for line in graph(Scene(examples.serving()), TOKENS, 40, 7)]
    assert "nothing measured yet" in "".join(lines)
    assert lines[0].endswith("peak --")


def test_the_effect_of_a_change_is_the_minute_before_and_the_one_after():
    past = scene().past
    change = ChangeRow(NOON_S - 300, 7, "", "", "", settled_s=NOON_S - 299)
    assert effect(past.trend, change, None) == "700 -> 500 tok/s"


@pytest.mark.parametrize(
    "change",
    [
        ChangeRow(NOON_S - 30, 7, "", "", ""),
        ChangeRow(NOON_S - 300, 7, "", "", "", settled_s=NOON_S - 30),
        ChangeRow(NOON_S - 9000, 7, "", "", ""),
        ChangeRow(NOON_S - 300, 0, "", "", "refused"),
        ChangeRow(None, 7, "", "", ""),
    ],
)
def test_an_effect_that_is_not_known_is_not_told(change):
    assert effect(scene().past.trend, change, None) == ""


def test_another_change_within_the_minute_leaves_no_effect():
    change = ChangeRow(NOON_S - 300, 7, "", "", "")
    assert effect(scene().past.trend, change, NOON_S - 280) == ""


def test_the_log_has_time_mark_change_caller_effect_and_outcome():
    change = ChangeRow(NOON_S - 300, 7, "cap g2 8 -> 2", "ops", "set")
    line = plain(change_lines(scene(change), 76, 3)[0])
    assert line.split() == [
        "08:48:20",
        "◆7",
        "cap",
        "g2",
        "8",
        "->",
        "2",
        "ops",
        "700",
        "->",
        "500",
        "tok/s",
        "set",
    ]
