"""Lengths of time as they are typed."""

from __future__ import annotations

import pytest

from rblntop.cli.duration_type import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90.0), ("10m", 600.0), ("10min", 600.0), ("2h", 7200.0), ("1h30m", 5400.0), ("1h 30m", 5400.0),
     ("1.5h", 5400.0), ("250ms", 0.25), ("7d", 604800.0)],
)  # fmt: skip
def test_a_length_of_time(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "10 minutes", "-5m", "1h-5m", "5m later", "9999d", "1e3s"])
def test_what_is_none_says_how_to_write_one(text):
    with pytest.raises(ValueError, match=r"such as 90s|longer than a year"):
        parse_duration(text)


def test_a_bare_number_is_seconds_only_where_nobody_could_mean_minutes():
    assert parse_duration("0.5", seconds_alone=True) == 0.5
    assert parse_duration("10m", seconds_alone=True) == 600.0
