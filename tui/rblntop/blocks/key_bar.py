"""The last line: the keys, or what there is to say about the last one."""

from __future__ import annotations

from rblntop.blocks.view_keys import view_keys
from rblntop.playback import Playback
from rblntop.scene import Scene
from rblntop.text.cells import clean
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span, fit, spread, width_of

WIDE, ROOMY = 112, 140


def key_bar(
    scene: Scene | None,
    width: int,
    *,
    notice: str = "",
    readonly: bool = False,
    finding: str | None = None,
) -> Line:
    """Capital letters change the engine; they are grey where that is not allowed."""
    wide = width >= WIDE
    end: Line = (
        *_key(":", "actions" if width >= ROOMY else "", "command_palette"),
        *_key("?", "help" if wide else "", "help"),
    )
    if wide:
        end += _key("q", "quit", "quit")
    if finding is not None:
        return _find(finding, width)
    if notice:
        return spread((Span(f" {notice}", Role.WATCH),), end, width)
    if scene is None:
        return spread((Span(" "),), end, width)
    if scene.playback is not None:
        return _replay_keys(scene, scene.playback, end, width)
    off = readonly or scene.link.readonly
    line: Line = (Span(" "),)
    for part in (*_changing(scene, off, wide=wide), *_looking(scene, wide=wide, roomy=width >= ROOMY)):
        if width_of(line) + width_of(part) + width_of(end) <= width:
            line += part
    line += view_keys(scene, width - width_of(line) - width_of(end))
    return fit(spread(line, end, width), width)


def _changing(scene: Scene, off: bool, *, wide: bool) -> list[Line]:
    limits = scene.snapshot.limits
    parts: list[Line] = []
    for letter, long, short, action, shown in (
        ("K", "keep", "eep", "keep", limits.trial is not None),
        ("M", "max_num_seqs", "ax seqs", "set_max_num_seqs", limits.trial is None),
        ("G", "group cap", "roup cap", "set_group_cap", limits.trial is None),
        ("U", "undo", "ndo", "undo", True),
        ("E", "extend", "xtend", "extend", limits.trial is not None),
        ("A", "admission", "dmission", "admission", True),
        ("R", "reset all", "eset", "reset", True),
    ):
        if shown:
            parts.append(_key(letter, long, action, off) if wide else _short(letter, short, action, off))
    return parts


def _looking(scene: Scene, *, wide: bool, roomy: bool) -> list[Line]:
    """What may be left out on a narrow screen, the most wanted first."""
    going = "go on" if scene.paused else "pause"
    parts: list[Line] = [(Span("│ ", Role.FRAME),)] if wide else []
    if scene.filter:
        parts.append(_key("/", f"find {clean(scene.filter)}", "find"))
    if scene.paused:
        parts.append(_key("p", going, "pause"))
    parts.append(_key("w", f"window {scene.window_s} s" if roomy else f"{scene.window_s} s", "next_window"))
    if len(scene.engines) > 1:
        parts.append(_key("←→", "engine", "next_engine(1)"))
        marked = f"mark, {len(scene.marked)}" if scene.marked else "mark"
        parts.append(_key("space", marked, "mark"))
    if not scene.filter:
        parts.append(_key("/", "find" if wide else "", "find"))
    if not scene.paused:
        parts.append(_key("p", going, "pause"))
    if len(scene.groups) > 8:
        parts.append(_key("↑↓", "groups", ""))
    return parts


def _find(text: str, width: int) -> Line:
    line: Line = (
        Span(" /", Role.KEY),
        Span(f" {clean(text)}▏", Role.ENTRY),
        Span("  engines and groups that hold this", Role.LABEL),
    )
    return spread(line, (*_key("Enter", "keep", ""), *_key("Esc", "clear", "")), width)


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
    sign = Span(f"[{key}]", Role.OFF if off else Role.KEY, action)
    if not label:
        return (sign, Span(" "))
    return (sign, Span(f" {label}  ", Role.OFF if off else Role.LABEL, action))


def _short(letter: str, rest: str, action: str, off: bool) -> Line:
    """``[M]ax seqs``: the letter is part of its word."""
    return (
        Span(f"[{letter}]", Role.OFF if off else Role.KEY, action),
        Span(f"{rest} ", Role.OFF if off else Role.LABEL, action),
    )
