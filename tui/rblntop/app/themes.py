"""The themes. Each is a choice of colours for the same roles; none of them carries a meaning alone."""

from __future__ import annotations

from dataclasses import dataclass

from textual.theme import Theme


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of a theme."""

    name: str
    title: str
    """As the screen calls it."""
    dark: bool
    background: str
    surface: str
    frame: str
    text: str
    strong: str
    label: str
    off: str
    stale: str
    good: str
    note: str
    watch: str
    act: str
    title_colour: str
    bar: str
    bar_low: str
    strip: str
    strip_low: str
    area: str
    area_low: str
    track: str
    pad: str
    prefill: str
    good_back: str
    note_back: str
    watch_back: str
    act_back: str
    ascii: bool = False
    """Only characters that every terminal has."""

    @property
    def theme(self) -> Theme:
        """As Textual knows it; our own styles use it for the backgrounds."""
        return Theme(
            name=self.name,
            primary=self.title_colour,
            secondary=self.note,
            accent=self.prefill,
            foreground=self.text,
            background=self.background,
            surface=self.surface,
            panel=self.surface,
            success=self.good,
            warning=self.watch,
            error=self.act,
            dark=self.dark,
            variables={
                "scrollbar": self.frame,
                "scrollbar-hover": self.label,
                "scrollbar-background": self.background,
                "verdict-good": self.good_back,
                "verdict-note": self.note_back,
                "verdict-watch": self.watch_back,
                "verdict-act": self.act_back,
            },
        )


DARK = Look(
    name="rblntop",
    title="dark",
    dark=True,
    background="#0e131a",
    surface="#19212c",
    frame="#2b3645",
    text="#c3ccd8",
    strong="#f0f4f9",
    label="#7d8b9d",
    off="#4d5967",
    stale="#5d6876",
    good="#6fd3a0",
    note="#7fb4f5",
    watch="#f3bd62",
    act="#ff7a70",
    title_colour="#4fc3bd",
    bar="#4fc3bd",
    bar_low="#4389b8",
    strip="#2f8a8b",
    strip_low="#35699a",
    area="#1f5557",
    area_low="#274a6b",
    track="#222c38",
    pad="#4a4552",
    prefill="#c49af0",
    good_back="#12211f",
    note_back="#141f2e",
    watch_back="#2a2218",
    act_back="#331a1d",
)
LIGHT = Look(
    name="rblntop-light",
    title="light",
    dark=False,
    background="#fbfbf8",
    surface="#ecedea",
    frame="#c3c9cf",
    text="#37414d",
    strong="#10161d",
    label="#626d7a",
    off="#98a1ab",
    stale="#8b949f",
    good="#0f7a48",
    note="#1f5fb4",
    watch="#935a00",
    act="#b3261e",
    title_colour="#0b7671",
    bar="#16918b",
    bar_low="#3a7fb5",
    strip="#3fa8a2",
    strip_low="#6a9cc9",
    area="#a9d8d4",
    area_low="#b5cfe6",
    track="#e1e4e4",
    pad="#cdbfc9",
    prefill="#7c3fc0",
    good_back="#e3f1ea",
    note_back="#e4edf8",
    watch_back="#fbeed6",
    act_back="#fbe2df",
)
HIGH_CONTRAST = Look(
    name="rblntop-contrast",
    title="high contrast",
    dark=True,
    background="#000000",
    surface="#1c1c1c",
    frame="#8a8a8a",
    text="#ffffff",
    strong="#ffffff",
    label="#d0d0d0",
    off="#a8a8a8",
    stale="#b0b0b0",
    good="#5fff87",
    note="#87d7ff",
    watch="#ffd75f",
    act="#ff8787",
    title_colour="#5fffff",
    bar="#5fffff",
    bar_low="#87afff",
    strip="#00d7d7",
    strip_low="#5f87ff",
    area="#007f7f",
    area_low="#3f5fa0",
    track="#3a3a3a",
    pad="#8a7a6a",
    prefill="#ffafff",
    good_back="#003a12",
    note_back="#002a4a",
    watch_back="#4a3200",
    act_back="#5a0000",
)
#: Okabe and Ito's colours: told apart with any of the common kinds of colour blindness. Blue for good, orange
#: for watch, and vermilion for act, which is also bold and has its own glyph.
COLOUR_BLIND = Look(
    name="rblntop-colour-blind",
    title="colour-blind safe",
    dark=True,
    background="#101216",
    surface="#1b1f26",
    frame="#39404b",
    text="#cfd4db",
    strong="#ffffff",
    label="#8d96a3",
    off="#59616d",
    stale="#6a727e",
    good="#56b4e9",
    note="#9fc9ff",
    watch="#e69f00",
    act="#ff7a33",
    title_colour="#56b4e9",
    bar="#56b4e9",
    bar_low="#0072b2",
    strip="#3d8fc0",
    strip_low="#d8b13a",
    area="#28597a",
    area_low="#6b5a22",
    track="#242a33",
    pad="#5a5340",
    prefill="#f0e442",
    good_back="#12202b",
    note_back="#151f30",
    watch_back="#2b2210",
    act_back="#331c10",
)
ASCII = Look(
    **{
        **{field: getattr(DARK, field) for field in DARK.__slots__},
        "name": "rblntop-ascii",
        "title": "ASCII only",
        "track": "#3c4a5c",
        "frame": "#3c4a5c",
        "ascii": True,
    }
)

THEMES: dict[str, Look] = {look.name: look for look in (DARK, LIGHT, HIGH_CONTRAST, COLOUR_BLIND, ASCII)}
"""By the name that ``App.theme`` has."""
