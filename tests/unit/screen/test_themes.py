"""Every theme can be read, also where a terminal has 256 colours."""

from __future__ import annotations

import pytest
from rich.color import Color, ColorSystem

from rblntop.app.themes import THEMES, Look
from rblntop.text.ascii import as_ascii

READ = ("text", "strong", "label", "good", "note", "watch", "act", "title_colour", "prefill")
themes = pytest.mark.parametrize("look", THEMES.values(), ids=lambda look: look.name)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.1 defines it."""
    parts = [part / 255 for part in Color.parse(colour).get_truecolor()]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@themes
def test_what_is_read_stands_out_from_the_background(look: Look):
    least = 7.0 if look.name == "rblntop-contrast" else 4.5
    for role in READ:
        assert contrast(getattr(look, role), look.background) >= least, role


@themes
def test_a_verdict_stands_out_from_its_own_background(look: Look):
    for level in ("good", "note", "watch", "act"):
        assert contrast(getattr(look, level), getattr(look, f"{level}_back")) >= 4.5, level
        assert contrast(look.text, getattr(look, f"{level}_back")) >= 4.5, level


@pytest.mark.parametrize(
    "look", [look for look in THEMES.values() if not look.ascii], ids=lambda look: look.name
)
def test_bars_stand_out_from_their_track_also_in_256_colours(look: Look):
    def reduced(colour: str) -> str:
        number = Color.parse(colour).downgrade(ColorSystem.EIGHT_BIT).number
        return Color.from_ansi(number).get_truecolor().hex if number is not None else colour

    for bar in ("bar", "bar_low", "prefill", "strip", "strip_low"):
        assert contrast(getattr(look, bar), look.track) >= 1.5, bar
        assert contrast(reduced(getattr(look, bar)), reduced(look.track)) >= 1.3, bar
    assert reduced(look.track) != reduced(look.background)
    assert reduced(look.pad) != reduced(look.track)


@pytest.mark.parametrize("text", ["▲ WATCH", "▇▇▍▒░", "⣿⡠⠊ ", "‹ ◆7 › …", "試験 é"])
def test_ascii_takes_as_many_cells(text):
    from rblntop.text.cells import cells

    assert as_ascii(text).isascii()
    assert cells(as_ascii(text)) == cells(text)


def test_ascii_keeps_heights_and_levels_apart():
    assert len({as_ascii(char) for char in "▁▄▇·P "}) == 6
    assert len({as_ascii(char) for char in "●◆▲■"}) == 4
