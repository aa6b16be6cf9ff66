"""What figures were: means over slots, and dots that stand still."""

from __future__ import annotations

import pytest

from rblntop.lookback import Lookback
from rblntop.model import History, HistoryColumn, HistorySeries
from rblntop.source import examples
from rblntop.trend import SPANS_S, Series, Trend, TrendPoint

NOON_S = 1_760_000_000.0
TOKENS = Series.TOKENS_PER_S


def ramp(seconds: int) -> Trend:
    """As many tokens/s as seconds have gone by."""
    trend = Trend()
    for second in range(seconds + 1):
        trend.add(TrendPoint(NOON_S + second, second))
    return trend


def test_a_minute_of_dots_has_the_values_of_its_seconds():
    dots = ramp(120).dots(TOKENS, 60, 30, NOON_S + 120)
    assert dots[-2] == 120
    assert dots[:3] == [62, 63, 64]


@pytest.mark.parametrize("span_s", SPANS_S)
def test_dots_move_on_by_whole_columns(span_s):
    trend, width = ramp(3000), 40
    column_s = span_s / width
    first = NOON_S // span_s * span_s + span_s
    dots = trend.dots(TOKENS, span_s, width, first)
    within = trend.dots(TOKENS, span_s, width, first + column_s * 0.4)
    assert within[:-4] == dots[:-4]
    later = trend.dots(TOKENS, span_s, width, first + column_s)
    assert later[:-6] == dots[2:-4]


def test_what_was_drawn_before_is_what_would_be_drawn_anew():
    trend = ramp(500)
    for now_s in range(100, 500, 7):
        trend.dots(TOKENS, 600, 33, NOON_S + now_s)
    assert trend.dots(TOKENS, 600, 33, NOON_S + 500) == ramp(500).dots(TOKENS, 600, 33, NOON_S + 500)


def test_a_gap_stays_a_gap():
    trend = ramp(100)
    for second in range(200, 300):
        trend.add(TrendPoint(NOON_S + second, 5))
    dots = trend.dots(TOKENS, 300, 60, NOON_S + 299)
    assert set(dots[46:78]) == {None}
    assert dots[30] is not None
    assert dots[-3] == 5


def test_a_short_pause_between_snapshots_is_bridged():
    trend = Trend()
    for second in range(0, 60, 2):
        trend.add(TrendPoint(NOON_S + second, 7))
    assert set(trend.dots(TOKENS, 30, 30, NOON_S + 58)[:-2]) == {7}


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_what_is_not_known_is_not_zero(value):
    trend = Trend()
    trend.add(TrendPoint(NOON_S, value))
    assert set(trend.dots(TOKENS, 60, 30, NOON_S)) == {None}


def test_the_time_before_an_hour_ago_is_kept_in_ten_seconds():
    trend = ramp(2 * 3600)
    assert trend.mean(TOKENS, NOON_S + 600, NOON_S + 1200) == pytest.approx(900, abs=6)
    assert trend.mean(TOKENS, NOON_S + 7000, NOON_S + 7100) == pytest.approx(7049.5)


@pytest.mark.parametrize("time_s", [float("nan"), float("inf"), -5.0, 1e300])
def test_a_time_that_is_none_is_left_out(time_s):
    trend = Trend()
    trend.add(TrendPoint(time_s, 1))
    assert trend.newest_s is None
    assert trend.dots(TOKENS, 60, 10, time_s) == []


def test_played_back_the_future_is_not_drawn():
    trend = ramp(100)
    trend.add(TrendPoint(NOON_S + 40, 40))
    assert trend.newest_s == NOON_S + 40
    assert max(dot for dot in trend.dots(TOKENS, 60, 30, trend.newest_s) if dot is not None) <= 41


def test_the_past_of_the_daemon_comes_before_what_was_seen():
    snapshot = examples.serving()
    lookback = Lookback()
    values = tuple(float(second) for second in range(60))
    series = HistorySeries(HistoryColumn.OUTPUT_TOKENS_PER_S, None, values)
    lookback.add([snapshot])
    lookback.fill(History(snapshot.engine.name, examples.NOON_S - 60, 1.0, 60, (series,)))
    trend = lookback.past(snapshot).trend
    assert trend is not None
    assert trend.mean(TOKENS, examples.NOON_S - 60, examples.NOON_S) == pytest.approx(29.5)
    assert trend.mean(TOKENS, examples.NOON_S, examples.NOON_S + 1) == pytest.approx(703.4)
