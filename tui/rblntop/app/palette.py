"""What each role looks like. Colours say good, watch and act; a glyph or a word says it too."""

from __future__ import annotations

from functools import lru_cache

from rich.color import Color, blend_rgb
from rich.segment import Segment
from rich.style import Style

from rblntop.app.themes import THEMES, Look
from rblntop.text.ascii import as_ascii
from rblntop.text.bars import FULL, PAD, TIPS
from rblntop.text.bars import TRACK as TRACK_GLYPH
from rblntop.text.line import Role, Span

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


def styles_of(look: Look) -> dict[Role, Style]:
    """The style of each role in a theme."""
    return {
        Role.TEXT: Style(color=look.text),
        Role.LABEL: Style(color=look.label),
        Role.STRONG: Style(color=look.strong),
        Role.TITLE: Style(color=look.title_colour, bold=True),
        Role.BRAND: Style(color=look.background, bgcolor=look.title_colour, bold=True),
        Role.GOOD: Style(color=look.good),
        Role.NOTE: Style(color=look.note),
        Role.WATCH: Style(color=look.watch, bold=True),
        Role.ACT: Style(color=look.act, bold=True),
        Role.BAR: Style(color=look.bar),
        Role.BAR_LOW: Style(color=look.bar_low),
        Role.TRACK: Style(color=look.track),
        Role.PAD: Style(color=look.pad),
        Role.AREA: Style(color=look.area),
        Role.AREA_LOW: Style(color=look.area_low),
        Role.STRIP: Style(color=look.strip),
        Role.STRIP_LOW: Style(color=look.strip_low),
        Role.PREFILL: Style(color=look.prefill),
        Role.KEY: Style(color=look.note, bold=True),
        Role.OFF: Style(color=look.off),
        Role.CHOSEN: Style(color=look.strong, bold=True),
        Role.CHOSEN_TAB: Style(color=look.strong, bgcolor=look.frame, bold=True),
        Role.FRAME: Style(color=look.frame),
        Role.ENTRY: Style(color=look.strong, bgcolor=look.frame, bold=True),
        Role.ENTRY_BAD: Style(color=look.watch, bgcolor=look.frame, bold=True),
    }


def dimmed_styles_of(look: Look) -> dict[Role, Style]:
    """The same for figures that do not hold any more."""
    return {
        role: style if role in _UNDIMMED else Style(color=look.off if role is Role.LABEL else look.stale)
        for role, style in styles_of(look).items()
    }


class Palette:
    """The styles of one theme."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self._live = styles_of(look)
        self._dimmed = dimmed_styles_of(look)
        self._track = Color.parse(look.track).get_truecolor()
        self._tips: dict[tuple[Style, int], Style] = {}

    def segments(self, span: Span, *, dimmed: bool, colours: bool) -> list[Segment]:
        """A span as it is drawn.

        With colours a track is a dim bar, and the tip of a bar a whole cell between the two colours, by how
        much of it is filled; without colours the glyphs say it.
        """
        style = (self._dimmed if dimmed else self._live)[span.role]
        if self.look.ascii:
            return [Segment(as_ascii(span.text), style)]
        if not colours:
            return [Segment(span.text, style)]
        if span.role is Role.TRACK:
            return [Segment(span.text.replace(TRACK_GLYPH, FULL), style)]
        if span.role is Role.PAD:
            return [Segment(span.text.replace(PAD, FULL), style)]
        if span.text[-1:] in TIPS and span.role in _BARS:
            eighths = TIPS.index(span.text[-1]) + 1
            return [Segment(span.text[:-1], style), Segment(FULL, self._tip(style, eighths))]
        return [Segment(span.text, style)]

    def _tip(self, bar: Style, eighths: int) -> Style:
        found = self._tips.get((bar, eighths))
        if found is None:
            assert bar.color is not None
            colour = blend_rgb(self._track, bar.color.get_truecolor(), eighths / 8)
            found = self._tips[bar, eighths] = Style(color=colour.hex)
        return found


_BARS = {Role.BAR, Role.BAR_LOW, Role.PREFILL}


@lru_cache(maxsize=16)
def palette(theme: str) -> Palette:
    """The palette of a theme; of the first one, if it is none of ours."""
    return Palette(THEMES.get(theme) or next(iter(THEMES.values())))
