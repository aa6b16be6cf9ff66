"""The second line: the verdict and the key that mends it."""

from __future__ import annotations

from rblntop.scene import Scene
from rblntop.text.line import Line, Role, Span, spread, width_of
from rblntop.verdict import Level, Verdict, judge

LOOK = {
    Level.GOOD: ("●", "", Role.GOOD),
    Level.NOTE: ("◆", "", Role.NOTE),
    Level.WATCH: ("▲", "WATCH", Role.WATCH),
    Level.ACT: ("■", "ACT", Role.ACT),
}


def verdict_line(scene: Scene, width: int) -> Line:
    """Glyph and word for the level, then the sentence: colour never says it alone."""
    verdict = judge(scene)
    end = remedy(scene, verdict)
    for start in (_sentence(verdict, verdict.text), _sentence(verdict, verdict.short or verdict.text)):
        if width_of(start) + width_of(end) + 2 <= width:
            break
    return spread(start, end, width)


def remedy(scene: Scene, verdict: Verdict) -> Line:
    """The key, as a place to click; grey where changes are not allowed."""
    if verdict.remedy is None:
        return (Span(" "),)
    key, label = verdict.remedy.key, verdict.remedy.label
    role = Role.OFF if scene.link.readonly else Role.KEY
    return (
        Span(f"[{key}]", role, verdict.remedy.action),
        Span(f" {label} ", Role.LABEL, verdict.remedy.action),
    )


def _sentence(verdict: Verdict, text: str) -> Line:
    glyph, word, role = LOOK[verdict.level]
    return (
        Span(f" {glyph} {word + '  ' if word else ''}", role),
        Span(text, role if verdict.level in (Level.WATCH, Level.ACT) else Role.TEXT),
    )
