"""Numbers, durations, bars, strips and lines."""

from __future__ import annotations

import math

import pytest

from rblntop.model import StripCell
from rblntop.text.bars import bar
from rblntop.text.cells import cells, clean, cut, left, right
from rblntop.text.durations import countdown, duration
from rblntop.text.line import Role, Span, fit, plain, spread, width_of
from rblntop.text.numbers import count, percent, rate
from rblntop.text.strip import strip, strip_cell, strip_rows
from rblntop.text.wrap import wrapped


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "--"),
        (math.nan, "--"),
        (math.inf, "--"),
        (0, "0"),
        (3912, "3,912"),
        (9_999_999, "9,999,999"),
        (12_400_000, "12.4M"),
        (2e9, "2.0G"),
        (-5, "-5"),
        (1e30, "1e30"),
    ],
)
def test_counts(value, text):
    assert count(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, "--"), (0, "0"), (2.94, "2.9"), (9.96, "10"), (571.4, "571"), (1840, "1,840")]
)
def test_rates(value, text):
    assert rate(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (None, "--"),
        (math.nan, "--"),
        (0.0, "0 %"),
        (0.001, "<1 %"),
        (0.19, "19 %"),
        (1.0, "100 %"),
        (1e9, "999 %"),
    ],
)
def test_percent(ratio, text):
    assert percent(ratio) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "--"),
        (0.0, "0 s"),
        (0.0009, "0.9 ms"),
        (0.045, "45 ms"),
        (0.9996, "1.0 s"),
        (1.5, "1.5 s"),
        (38.0, "38 s"),
        (119.6, "2 min"),
        (41 * 60, "41 min"),
        (7200, "2 h"),
        (3 * 86400, "3 d"),
        (-1.0, "0 s"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "--"),
        (math.nan, "--"),
        (521.0, "8:41"),
        (0.2, "0:01"),
        (-3.0, "0:00"),
        (3761.0, "1:02:41"),
        (3 * 86400.0, "3 d"),
    ],
)
def test_countdowns(seconds, text):
    assert countdown(seconds) == text


@pytest.mark.parametrize(
    ("ratio", "drawn"),
    [
        (None, "░░░░"),
        (0.0, "░░░░"),
        (0.001, "▏░░░"),
        (0.25, "▇░░░"),
        (0.3125, "▇▎░░"),
        (0.999, "▇▇▇▉"),
        (1.0, "▇▇▇▇"),
        (9.0, "▇▇▇▇"),
        (math.nan, "░░░░"),
    ],
)
def test_a_bar_of_four_cells(ratio, drawn):
    assert "".join(bar(ratio, 4)) == drawn


@pytest.mark.parametrize(
    ("cell", "char"),
    [
        (StripCell(1.0, 1.0, 0.0), "▇"),
        (StripCell(0.5, 1.0, 0.0), "▄"),
        (StripCell(0.01, 1.0, 0.0), "▁"),
        (StripCell(1.0, 0.4, 0.6), "P"),
        (StripCell(1.0, 0.6, 0.4), "▇"),
        (StripCell(0.0, 0.0, 0.3), "P"),
        (StripCell(0.0, 0.0, 0.0), "·"),
        (StripCell(math.nan, math.nan, math.nan), "·"),
    ],
)
def test_a_cell_of_the_strip(cell, char):
    assert strip_cell(cell)[0] == char


def test_the_newest_cell_is_at_the_right():
    full, empty = StripCell(1, 1, 0), StripCell(0, 0, 0)
    assert "".join(span.text for span in strip([full, empty], 4)) == "  ▇·"
    assert "".join(span.text for span in strip([full, empty, empty], 2)) == "··"


def test_a_higher_strip_is_a_chart():
    half, full, prefill = StripCell(0.5, 1, 0), StripCell(1, 1, 0), StripCell(0, 0, 1)
    rows = ["".join(span.text for span in row) for row in strip_rows([half, full, prefill], 3, 2)]
    assert rows == [" ▇ ", "██P"]


def test_cells_count_what_the_terminal_shows():
    assert cells("試験") == 4
    assert cut("試験モデル", 5) == "試験…"
    assert left("試", 4) == "試  "
    assert right("試", 4) == "  試"


def test_a_name_cannot_steer_the_terminal():
    assert clean("a\x1b[31mb\n") == "a?[31mb?"
    assert Span("a\x07").text == "a?"


def test_a_line_is_fitted_to_its_width():
    line = (Span("abc"), Span("defg", Role.KEY))
    assert plain(fit(line, 9)) == "abcdefg"
    assert width_of(fit(line, 9)) == 9
    assert plain(fit(line, 7)) == "abcdefg"
    assert plain(fit(line, 5)) == "abcd…"
    assert plain(fit(line, 3)) == "ab…"


def test_what_stands_at_the_left_gives_way():
    assert plain(spread((Span("abcdef"),), (Span("xy"),), 6)) == "abc…xy"


def test_text_breaks_between_words():
    assert wrapped("aa bb ccc", 5) == ["aa bb", "ccc"]
    assert wrapped("", 5) == []
