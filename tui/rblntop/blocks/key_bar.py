"""The last line: the keys, or what there is to say about the last one."""

from __future__ import annotations

from rblntop.scene import Scene
from rblntop.text.line import Line, Role, Span, fit, spread, width_of


def key_bar(scene: Scene | None, width: int, *, notice: str = "", readonly: bool = False) -> Line:
    """Capital letters change the engine; they are grey where that is not allowed."""
    end: Line = (*_key("?", "help", "help"), *_key("q", "quit", "quit"))
    if notice:
        return spread((Span(f" {notice}", Role.WATCH),), end, width)
    if scene is None:
        return spread((Span(" "),), end, width)
    off = readonly or scene.link.readonly
    wide = width >= 100
    start: Line = (
        Span(" "),
        *_key("M", "max_num_seqs", "set_max_num_seqs", off),
        *_key("G", "group cap", "set_group_cap", off),
        Span("│ " if wide else "", Role.FRAME),
        *_key("w", f"window {scene.window_s} s", "next_window"),
    )
    for key, label, action, shown in (
        ("Tab", "next engine", "next_engine(1)", len(scene.engines) > 1),
        ("↑↓", "groups", "", len(scene.snapshot.groups) > 8),
    ):
        part = _key(key, label, action)
        if shown and width_of(start) + width_of(part) + width_of(end) <= width:
            start += part
    return fit(spread(start, end, width), width)


def _key(key: str, label: str, action: str, off: bool = False) -> Line:
    return (
        Span(f"[{key}]", Role.OFF if off else Role.KEY, action),
        Span(f" {label}  ", Role.OFF if off else Role.LABEL, action),
    )
