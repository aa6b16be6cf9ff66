"""Rules about what the pipeline does with the requests."""

from __future__ import annotations

from rblntop.model import EmptyCause, EngineState
from rblntop.scene import Scene
from rblntop.text.numbers import count, known, percent, rate
from rblntop.verdict.sentences import run, wait
from rblntop.verdict.verdict import Figure, Level, Remedy, Verdict

KV_FULL = 0.95
SKEWED = 1.5
COLLAPSED = 0.10
PREFILL_STORM = 0.30
PADDED = 0.25
PIPELINE_FULL = 0.80
SET_SEQS = Remedy("M", "change", "set_max_num_seqs")


def collapsed(scene: Scene) -> Verdict | None:
    """Enough requests, in too few batches."""
    snapshot, window = scene.snapshot, scene.window
    if len(snapshot.groups) < 2:
        return None
    empty = sum(share.ratio for share in window.empty if share.cause is EmptyCause.COLLAPSE)
    skew = window.group_skew
    largest = max(snapshot.groups, key=lambda group: group.running)
    crowded = (
        skew is not None and known(skew) and skew >= SKEWED and snapshot.running >= 2 * len(snapshot.groups)
    )
    if not crowded and not (known(empty) and empty >= COLLAPSED):
        return None
    level = Level.WATCH if snapshot.waiting else Level.NOTE
    share = f"group {largest.group} carries {largest.running} of {snapshot.running}"
    idle = f"; {percent(empty)} of the slots ran empty for it" if empty else ""
    even = -(-snapshot.running // len(snapshot.groups))
    return Verdict(
        level,
        f"Groups are uneven: {share}{idle}. Caps of {even} would spread them.",
        f"Groups are uneven: {share}. Caps of {even} spread them.",
        remedy=Remedy("G", "cap", f"set_group_cap({largest.group})"),
        figures=(
            Figure("largest group / mean group", rate(skew), f"{SKEWED:g} with 2 requests a group"),
            Figure(
                "slots empty for it", percent(empty), f"or {percent(COLLAPSED)} of the {scene.window_s} s"
            ),
        ),
    )


def kv_full(scene: Scene) -> Verdict | None:
    """No KV blocks left."""
    snapshot = scene.snapshot
    usage = snapshot.kv_usage_ratio
    if usage is None or not known(usage) or usage < KV_FULL:
        return None
    preempted = scene.window.preempted
    if not snapshot.waiting and not preempted:
        return None
    lost = f", {count(preempted)} preempted in {scene.window_s} s" if preempted else ""
    return Verdict(
        Level.WATCH if snapshot.waiting or snapshot.preempted_waiting else Level.NOTE,
        f"KV blocks are full ({percent(usage)}){lost}; {wait(snapshot.waiting)}. "
        "Fewer running requests would end the preemptions.",
        f"KV blocks full ({percent(usage)}){lost}; {snapshot.waiting} wait",
        remedy=SET_SEQS,
        figures=(
            Figure("KV blocks in use", percent(usage), f"{percent(KV_FULL)} or more"),
            Figure("preempted", count(preempted), f"in {scene.window_s} s: some, or requests wait"),
        ),
    )


def prefill_storm(scene: Scene) -> Verdict | None:
    """Prefills take the slots while decodes are ready."""
    ratio = scene.window.prefill_stall_ratio
    if ratio is None or not known(ratio) or ratio < PREFILL_STORM:
        return None
    return Verdict(
        Level.WATCH if scene.snapshot.waiting else Level.NOTE,
        f"Prefills hold {percent(ratio)} of the slot time while decodes are ready to run.",
        f"Prefills hold {percent(ratio)} of slot time, decodes wait",
        figures=(Figure("prefill stall", percent(ratio), f"{percent(PREFILL_STORM)} or more"),),
    )


def padded(scene: Scene) -> Verdict | None:
    """Decodes run in a larger bucket than they need, and a smaller one is compiled."""
    ratio = scene.window.decode_pad_ratio
    buckets = scene.snapshot.engine.decode_buckets
    if ratio is None or not known(ratio) or ratio < PADDED or len(buckets) < 2:
        return None
    worst = max(
        (
            figures
            for figures in scene.window.groups
            if figures.decode_pad_ratio is not None
            and known(figures.decode_pad_ratio)
            and known(figures.mean_decode_batch)
        ),
        key=lambda figures: figures.decode_pad_ratio or 0.0,
        default=None,
    )
    if worst is None or worst.mean_decode_batch is None:
        return None
    mean = worst.mean_decode_batch
    # The bucket that a batch of this size needs, and the next smaller one, which a cap would fill.
    smaller = [bucket for bucket in buckets if bucket < mean]
    if not smaller:
        return None
    return Verdict(
        Level.WATCH if scene.snapshot.waiting else Level.NOTE,
        f"Padding {percent(ratio)}: decode batches of group {worst.group} average {mean:.1f}; "
        f"a cap of {smaller[-1]} would fill the compiled bucket of {smaller[-1]}.",
        f"Padding {percent(ratio)}: a cap of {smaller[-1]} fills a compiled bucket",
        remedy=Remedy("G", "cap", f"set_group_cap({worst.group})"),
        figures=(
            Figure("padding", percent(ratio), f"{percent(PADDED)} or more, and a smaller bucket"),
            Figure("decode buckets", " ".join(str(bucket) for bucket in buckets)),
            Figure(f"decode batch of group {worst.group}", f"{mean:.1f}", "mean of the window"),
        ),
    )


def one_bucket(scene: Scene) -> Verdict | None:
    """Padding is high and there is no smaller bucket to fall back to."""
    ratio = scene.window.decode_pad_ratio
    buckets = scene.snapshot.engine.decode_buckets
    if (
        ratio is None
        or not known(ratio)
        or ratio < 2 * PADDED
        or len(buckets) != 1
        or not scene.snapshot.waiting
    ):
        return None
    return Verdict(
        Level.WATCH,
        f"Padding {percent(ratio)} in the one compiled decode bucket of {buckets[0]}, while "
        f"{wait(scene.snapshot.waiting)}. More buckets need a new compile (decode_batch_bucket_limit).",
        f"Padding {percent(ratio)} in the one bucket of {buckets[0]}; {scene.snapshot.waiting} wait",
        figures=(
            Figure("padding", percent(ratio), f"{percent(2 * PADDED)} or more"),
            Figure("decode buckets", str(buckets[0]), "only one"),
            Figure("waiting", count(scene.snapshot.waiting), "some"),
        ),
    )


def idle(scene: Scene) -> Verdict | None:
    """No unfinished requests."""
    if scene.snapshot.engine.state is not EngineState.IDLE:
        return None
    return Verdict(Level.GOOD, "Idle: no requests.")


def underfed(scene: Scene) -> Verdict | None:
    """The pipeline has room and nobody waits."""
    occupancy = scene.window.queue_occupancy_ratio
    if occupancy is None or not known(occupancy) or occupancy >= PIPELINE_FULL or scene.snapshot.waiting:
        return None
    return Verdict(
        Level.GOOD,
        f"Room to spare: {run(scene.snapshot.running)}, and the queue is {percent(occupancy)} full.",
        f"Room to spare: {run(scene.snapshot.running)}, queue {percent(occupancy)} full",
        figures=(Figure("queue full", percent(occupancy), f"below {percent(PIPELINE_FULL)}, none waits"),),
    )


def all_well(scene: Scene) -> Verdict | None:
    """Nothing above."""
    occupancy = scene.window.queue_occupancy_ratio
    if occupancy is None or not known(occupancy):
        return Verdict(Level.GOOD, f"Serving: {run(scene.snapshot.running)}, {wait(scene.snapshot.waiting)}.")
    full = (Figure("queue full", percent(occupancy), f"full: {percent(PIPELINE_FULL)} or more"),)
    if occupancy >= PIPELINE_FULL:
        waiting = f" {wait(scene.snapshot.waiting).capitalize()}." if scene.snapshot.waiting else ""
        return Verdict(Level.GOOD, f"All even, pipeline full.{waiting}", figures=full)
    return Verdict(Level.GOOD, f"All even; the queue is {percent(occupancy)} full.", figures=full)
