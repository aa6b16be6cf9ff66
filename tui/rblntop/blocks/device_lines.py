"""Devices, the host, and what it costs to watch."""

from __future__ import annotations

from rblntop.blocks.host_lines import host_line
from rblntop.model import Snapshot
from rblntop.scene import Scene
from rblntop.text.line import Line, Role, Span, fit, spread, width_of
from rblntop.text.numbers import MISSING, known, percent


def device_lines(scene: Scene, width: int, rows: int) -> list[Line]:
    """Two lines, or all in one."""
    npu: Line = (Span("NPU   ", Role.TITLE), Span(MISSING, Role.OFF))
    host = host_line(scene.snapshot.host)
    price = cost(scene.snapshot)
    if rows >= 2:
        return [fit(npu, width), spread(host, price, width)]
    line: Line = (*npu, Span("    "), *host)
    if width_of(line) + width_of(price) + 2 > width:
        price = price[1:]
    if width_of(line) + width_of(price) + 2 > width:
        line = ()
    return [spread(line, price, width)][: max(rows, 0)]


def cost(snapshot: Snapshot) -> Line:
    """What watching costs: the probe on the engine's thread, the daemon on the host."""
    probe = snapshot.probe_us_per_step
    text = f"{probe:.1f} us/step" if probe is not None and known(probe) and probe < 1e6 else MISSING
    return (
        Span("cost of watching  ", Role.LABEL),
        Span("probe ", Role.LABEL),
        Span(text, Role.TEXT if text != MISSING else Role.OFF),
        Span("  daemon ", Role.LABEL),
        Span(_core(snapshot.daemon_cpu_ratio), Role.TEXT),
    )


def _core(ratio: float | None) -> str:
    if ratio is None or not known(ratio):
        return MISSING
    return f"{ratio * 100:.1f} % of a core" if 0 <= ratio < 100 else percent(ratio)
