"""The second line: the verdict, and the keys that mend and explain it."""

from __future__ import annotations

from rblntop.scene import Scene
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span, spread, width_of
from rblntop.verdict import Level, Remedy, Verdict, judge

LOOK = {
    Level.GOOD: ("●", "", Role.GOOD),
    Level.NOTE: ("◆", "", Role.NOTE),
    Level.WATCH: ("▲", "WATCH", Role.WATCH),
    Level.ACT: ("■", "ACT", Role.ACT),
}
LASTING_S = 60.0
"""From then on it is said how long it has been so."""


def verdict_line(scene: Scene, width: int) -> Line:
    """Glyph and word for the level, then the sentence: colour never says it alone."""
    verdict = judge(scene)
    end = remedies(scene, verdict, wide=width >= 100)
    lasting = _lasting(scene, verdict)
    short = verdict.short or verdict.text
    for text, word in (
        (lasting, True),
        (verdict.text, True),
        (short, True),
        (short, False),
        (verdict.shortest or short, False),
    ):
        start = _sentence(verdict, text, word=word)
        if width_of(start) + width_of(end) <= width:
            break
    return spread(start, end, width)


def _lasting(scene: Scene, verdict: Verdict) -> str:
    """The sentence with its age, where it matters and is not in it."""
    if verdict.dated or verdict.level not in (Level.WATCH, Level.ACT):
        return verdict.text
    if scene.since_s is None or scene.since_s < LASTING_S:
        return verdict.text
    return f"{verdict.text} For {duration(scene.since_s)} now."


def remedies(scene: Scene, verdict: Verdict, *, wide: bool) -> Line:
    """The keys, as places to click; those that change something are grey where that is not allowed."""
    line: Line = (Span(" "),)
    for remedy in verdict.remedies:
        line += _key(remedy, Role.OFF if scene.link.readonly else Role.KEY)
    return (*line, *_key(Remedy("X", "explain" if wide else "why", "explain"), Role.KEY))


def _key(remedy: Remedy, role: Role) -> Line:
    return (
        Span(f"[{remedy.key}]", role, remedy.action),
        Span(f" {remedy.label} ", Role.LABEL, remedy.action),
    )


def _sentence(verdict: Verdict, text: str, *, word: bool) -> Line:
    glyph, name, role = LOOK[verdict.level]
    return (
        Span(f" {glyph} {name + '  ' if word and name else ''}", role),
        Span(text, role if verdict.level in (Level.WATCH, Level.ACT) else Role.TEXT),
    )
