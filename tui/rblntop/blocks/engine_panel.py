"""What the engine is and was started with, and what watching it costs."""

from __future__ import annotations

from rblntop.blocks.figure import figure, title
from rblntop.scene import Scene
from rblntop.text.cells import clean
from rblntop.text.durations import clock
from rblntop.text.line import Line, Role, Span, fit
from rblntop.text.numbers import MISSING, count, percent


def engine_panel(scene: Scene, width: int, rows: int) -> list[Line]:
    """One figure a row."""
    snapshot, engine = scene.snapshot, scene.snapshot.engine
    probe = snapshot.probe_us_per_step
    lines: list[Line] = [title("ENGINE", width)]
    if engine.notice:
        lines.append(fit((Span(clean(engine.notice), Role.WATCH),), width))
    lines += [
        figure("probe cost", f"{probe:.1f} us/step" if probe is not None else MISSING, width, Role.TEXT),
        figure("daemon cost", _core(snapshot.daemon_cpu_ratio), width, Role.TEXT),
        figure("vllm", clean(engine.vllm_version) or MISSING, width, Role.TEXT),
        figure("vllm-rbln", clean(engine.vllm_rbln_version) or MISSING, width, Role.TEXT),
        figure("scheduler", clean(engine.scheduler_class.rpartition(".")[2]) or MISSING, width, Role.TEXT),
        figure("batch queue depth", count(engine.batch_queue_depth), width, Role.TEXT),
        figure("KV blocks", f"{count(engine.num_blocks)} x {count(engine.block_size)}", width, Role.TEXT),
        figure("pid", str(engine.pid or MISSING), width, Role.TEXT),
        figure("started", clock(engine.started_at_s), width, Role.TEXT),
        figure("step", count(snapshot.step), width, Role.TEXT),
    ]
    return lines[: max(rows, 0)]


def _core(ratio: float | None) -> str:
    if ratio is None:
        return MISSING
    return f"{ratio * 100:.1f} % of a core" if 0 <= ratio < 100 else percent(ratio)
