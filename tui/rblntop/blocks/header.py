"""The first line: which engine, what it runs on, and whether this is live."""

from __future__ import annotations

from rblntop.model import Engine, EngineState
from rblntop.playback import Playback
from rblntop.scene import LinkState, Scene
from rblntop.text.cells import clean, cut
from rblntop.text.durations import clock, date_and_clock, duration
from rblntop.text.line import Line, Role, Span, spread, width_of
from rblntop.text.words import STATE


def header(scene: Scene, width: int) -> Line:
    """``rblntop  name  model  pp 4 ...   vllm ...   operator  ● live  03:04:31``."""
    engine = scene.snapshot.engine
    end = (*_role(scene), *live(scene), Span("  "), Span(_clock(scene), Role.LABEL), Span(" "))
    room = width - width_of(end)
    name = clean(engine.name) or "--"
    parts = _parts(engine)
    # What is not real says so at any width.
    kept = width_of(parts[0]) + 3 if engine.simulated else 0
    start: Line = (
        Span(" rblntop ", Role.BRAND),
        Span("  "),
        Span(cut(name, max(8, room - max(12, 11 + kept))), Role.STRONG),
    )
    for part in parts:
        if width_of(start) + width_of(part) + 3 <= room:
            start += (Span("  "), *part)
    return spread(start, end, width)


def live(scene: Scene) -> Line:
    """Live, stale or gone, by a glyph, a word and a colour."""
    link, state = scene.link, scene.snapshot.engine.state
    if scene.playback is not None:
        return replayed(scene.playback)
    if scene.paused:
        return (Span("‖ PAUSED", Role.NOTE),)
    if link.state is LinkState.LOST:
        return (Span(f"■ STALE {duration(link.age_s)}", Role.ACT),)
    if link.state is LinkState.CONNECTING:
        return (Span("◌ connecting", Role.NOTE),)
    if state is EngineState.GONE:
        return (Span("■ GONE", Role.ACT),)
    if state is EngineState.STALLED:
        return (Span("■ STALLED", Role.ACT),)
    if state in (EngineState.STARTING, EngineState.CLOSED):
        return (Span(f"● {STATE[state]}", Role.NOTE),)
    if scene.interval_s != 1:
        return (Span(f"● live, each {scene.interval_s:g} s", Role.GOOD),)
    return (Span("● live", Role.GOOD),)


def _parts(engine: Engine) -> list[Line]:
    """In order of worth: what does not fit is left out."""
    sizes = f"pp {engine.pp_size} tp {engine.tp_size} dp {engine.dp_rank}/{engine.dp_size}"
    versions = f"vllm {clean(engine.vllm_version) or '--'}"
    if engine.vllm_rbln_version:
        versions += f" + vllm-rbln {clean(engine.vllm_rbln_version)}"
    parts: list[Line] = [(Span("SIMULATED", Role.NOTE),)] if engine.simulated else []
    parts.append((Span(sizes, Role.TEXT),))
    model = clean(engine.model)
    if model and not engine.name.startswith(model):
        parts.append((Span(model, Role.TEXT),))
    return [*parts, (Span(versions, Role.LABEL),)]


def replayed(playback: Playback) -> Line:
    """Not live, and how it goes on."""
    if playback.paused:
        return (Span("■ REPLAY paused", Role.NOTE),)
    if playback.growing:
        return (Span("▶ REPLAY follows", Role.NOTE),)
    if playback.at_end:
        return (Span("■ REPLAY end", Role.NOTE),)
    return (Span(f"▶ REPLAY {playback.speed:g}x", Role.NOTE),)


def _role(scene: Scene) -> Line:
    if scene.playback is not None:
        return ()
    word = "viewer" if scene.link.readonly else "operator"
    return (Span(f"{word}  ", Role.LABEL),) if scene.link.address else ()


def _clock(scene: Scene) -> str:
    if scene.playback is not None:
        return date_and_clock(scene.snapshot.time_s)
    return clock(scene.clock_s if scene.clock_s is not None else scene.snapshot.time_s)
