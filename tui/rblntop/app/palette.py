"""What each role looks like. Colours say good, watch and act; a glyph or a word says it too."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color, blend_rgb
from rich.segment import Segment
from rich.style import Style
from textual.theme import Theme

from rblntop.text.bars import FULL, TIPS
from rblntop.text.bars import TRACK as TRACK_GLYPH
from rblntop.text.line import Role, Span

BACKGROUND = "#0e131a"
SURFACE = "#19212c"
FRAME = "#2b3645"
TEXT = "#c3ccd8"
STRONG = "#f0f4f9"
LABEL = "#7d8b9d"
OFF = "#4d5967"
GOOD = "#6fd3a0"
NOTE = "#7fb4f5"
WATCH = "#f3bd62"
ACT = "#ff7a70"
BAR = "#4fc3bd"
BAR_LOW = "#4389b8"
STRIP = "#2f8a8b"
STRIP_LOW = "#35699a"
TRACK = "#222c38"
PREFILL = "#c49af0"
STALE = "#5d6876"

THEME = Theme(
    name="rblntop",
    primary=BAR,
    secondary=NOTE,
    accent=PREFILL,
    foreground=TEXT,
    background=BACKGROUND,
    surface=SURFACE,
    panel=SURFACE,
    success=GOOD,
    warning=WATCH,
    error=ACT,
    dark=True,
    variables={"scrollbar": FRAME, "scrollbar-hover": LABEL, "scrollbar-background": BACKGROUND},
)

LIVE: dict[Role, Style] = {
    Role.TEXT: Style(color=TEXT),
    Role.LABEL: Style(color=LABEL),
    Role.STRONG: Style(color=STRONG),
    Role.TITLE: Style(color=BAR, bold=True),
    Role.BRAND: Style(color=BACKGROUND, bgcolor=BAR, bold=True),
    Role.GOOD: Style(color=GOOD),
    Role.NOTE: Style(color=NOTE),
    Role.WATCH: Style(color=WATCH, bold=True),
    Role.ACT: Style(color=ACT, bold=True),
    Role.BAR: Style(color=BAR),
    Role.BAR_LOW: Style(color=BAR_LOW),
    Role.TRACK: Style(color=TRACK),
    Role.STRIP: Style(color=STRIP),
    Role.STRIP_LOW: Style(color=STRIP_LOW),
    Role.PREFILL: Style(color=PREFILL),
    Role.KEY: Style(color=NOTE, bold=True),
    Role.OFF: Style(color=OFF),
    Role.CHOSEN: Style(color=STRONG, bold=True),
    Role.CHOSEN_TAB: Style(color=STRONG, bgcolor=FRAME, bold=True),
    Role.FRAME: Style(color=FRAME),
    Role.ENTRY: Style(color=STRONG, bgcolor=FRAME, bold=True),
    Role.ENTRY_BAD: Style(color=WATCH, bgcolor=FRAME, bold=True),
}

#: What still holds when the figures do not: the alarm, the keys, the entry.
_UNDIMMED = {
    Role.BRAND,
    Role.ACT,
    Role.KEY,
    Role.ENTRY,
    Role.ENTRY_BAD,
    Role.CHOSEN_TAB,
    Role.FRAME,
    Role.TRACK,
}

DIMMED: dict[Role, Style] = {
    role: style if role in _UNDIMMED else Style(color=OFF if role is Role.LABEL else STALE)
    for role, style in LIVE.items()
}

_BARS = {Role.BAR, Role.BAR_LOW, Role.PREFILL}


def segments(span: Span, *, dimmed: bool, colours: bool) -> list[Segment]:
    """A span as it is drawn.

    With colours a track is a dim bar, and the tip of a bar a whole cell between the two colours, by how much
    of it is filled; without colours the glyphs say it.
    """
    style = (DIMMED if dimmed else LIVE)[span.role]
    if not colours:
        return [Segment(span.text, style)]
    if span.role is Role.TRACK:
        return [Segment(span.text.replace(TRACK_GLYPH, FULL), style)]
    if span.role in _BARS and span.text[-1:] in TIPS:
        filled = (TIPS.index(span.text[-1]) + 1) / 8
        return [Segment(span.text[:-1], style), Segment(FULL, _tip(style, filled))]
    return [Segment(span.text, style)]


@lru_cache(maxsize=64)
def _tip(bar: Style, filled: float) -> Style:
    assert bar.color is not None
    assert bar.color.triplet is not None
    return Style(color=blend_rgb(Color.parse(TRACK).get_truecolor(), bar.color.triplet, filled).hex)
