"""The last line: the keys, or what there is to say about the last one."""

from __future__ import annotations

from rblntop.blocks.view_keys import view_keys
from rblntop.playback import Playback
from rblntop.scene import Scene
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span, fit, spread, width_of


def key_bar(scene: Scene | None, width: int, *, notice: str = "", readonly: bool = False) -> Line:
    """Capital letters change the engine; they are grey where that is not allowed."""
    end: Line = (*_key("?", "help", "help"), *_key("q", "quit", "quit"))
    if notice:
        return spread((Span(f" {notice}", Role.WATCH),), end, width)
    if scene is None:
        return spread((Span(" "),), end, width)
    if scene.playback is not None:
        return _replay_keys(scene, scene.playback, end, width)
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
        ("←→", "engine", "next_engine(1)", len(scene.engines) > 1),
        ("↑↓", "groups", "", len(scene.snapshot.groups) > 8),
    ):
        part = _key(key, label, action)
        if shown and width_of(start) + width_of(part) + width_of(end) <= width:
            start += part
    start += view_keys(scene, width - width_of(start) - width_of(end))
    return fit(spread(start, end, width), width)


def _replay_keys(scene: Scene, playback: Playback, end: Line, width: int) -> Line:
    """Keys through time, and where in it we are."""
    where = f"{duration(playback.position_s)} of {duration(playback.length_s)}"
    if playback.gap_s:
        where = f"gap of {duration(playback.gap_s)} before this  {where}"
    end = (Span(f"{where}  ", Role.WATCH if playback.gap_s else Role.LABEL), *end)
    line: Line = (Span(" "),)
    for key, label, action in (
        ("space", "play" if playback.paused or playback.at_end else "pause", "toggle_pause"),
        ("[ ]", "10 s", "seek(10)"),
        (", .", "step", "step(1)"),
        ("- +", f"{playback.speed:g}x", "faster(1)"),
        ("w", f"window {scene.window_s} s", "next_window"),
    ):
        part = _key(key, label, action)
        if width_of(line) + width_of(part) + width_of(end) <= width:
            line += part
    return fit(spread(line, end, width), width)


def _key(key: str, label: str, action: str, off: bool = False) -> Line:
    return (
        Span(f"[{key}]", Role.OFF if off else Role.KEY, action),
        Span(f" {label}  ", Role.OFF if off else Role.LABEL, action),
    )
