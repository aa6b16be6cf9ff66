"""Why the verdict says what it says: the rule, its figures and thresholds, and what else holds."""

from __future__ import annotations

from rblntop.blocks.panel_frame import label
from rblntop.scene import Scene
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span
from rblntop.text.wrap import wrapped
from rblntop.verdict import RULES, holding, judge

LABEL = 11


def explanation(scene: Scene, width: int) -> list[Line]:
    """As many lines as it takes."""
    verdict = judge(scene)
    at = next(index for index, rule in enumerate(RULES, 1) if rule.__name__ == verdict.rule)
    since = f", for {duration(scene.since_s)} as far as we watched" if scene.since_s else ""
    lines: list[Line] = [
        (
            label("rule"),
            Span(verdict.rule.replace("_", " "), Role.STRONG),
            Span(f", {at} of {len(RULES)}{since}", Role.LABEL),
        )
    ]
    for row, part in enumerate(wrapped(verdict.text, max(20, width - LABEL))):
        lines.append((label("says" if row == 0 else ""), Span(part, Role.TEXT)))
    for row, figure in enumerate(verdict.figures):
        lines.append(
            (
                label("figures" if row == 0 else ""),
                Span(f"{figure.name}  ", Role.LABEL),
                Span(figure.value, Role.STRONG),
                Span(f"   {figure.threshold}" if figure.threshold else "", Role.LABEL),
            )
        )
    for remedy in verdict.remedies:
        key = Span(f"[{remedy.key}]", Role.KEY, remedy.action)
        lines.append((label("mends it"), key, Span(f" {remedy.label}", Role.TEXT, remedy.action)))
    others = [other for other in holding(scene) if other.rule != verdict.rule]
    for row, other in enumerate(others[:4]):
        lines.append((label("also" if row == 0 else ""), Span(other.short or other.text, Role.TEXT)))
    return lines
