"""The rules, in order: the first that has something to say is the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rblntop.model import AdmissionStop, EmptyCause, EngineState, Limit, LimitKind, Limits
from rblntop.scene import Scene
from rblntop.text.cells import clean
from rblntop.text.durations import duration
from rblntop.text.numbers import count, known, percent
from rblntop.text.words import KIND
from rblntop.time_left import reverts, time_left
from rblntop.verdict.verdict import Level, Remedy, Verdict

Rule = Callable[[Scene], Verdict | None]

KV_FULL = 0.95
SKEWED = 1.5
COLLAPSED = 0.10
PREFILL_STORM = 0.30
PADDED = 0.25
PIPELINE_FULL = 0.80
SILENT_S = 5.0

SET_SEQS = Remedy("M", "change", "set_max_num_seqs")


def judge(scene: Scene) -> Verdict:
    """The verdict of the first rule that applies."""
    for rule in RULES:
        if verdict := rule(scene):
            return replace(verdict, rule=rule.__name__)
    raise AssertionError("the last rule always applies")


def stale(scene: Scene) -> Verdict | None:
    """The daemon went away: the rest of the screen is old."""
    if not scene.stale:
        return None
    age = duration(scene.link.age_s)
    return Verdict(
        Level.ACT,
        f"The daemon went away {age} ago; these are its last figures. The engine runs on. Reconnecting.",
        f"Daemon away for {age}: last figures. Engine runs on. Reconnecting.",
    )


def gone(scene: Scene) -> Verdict | None:
    """The engine's process ended."""
    engine = scene.snapshot.engine
    if engine.state is not EngineState.GONE:
        return None
    pid = f" (pid {engine.pid})" if engine.pid else ""
    ago = duration(scene.snapshot.age_s)
    return Verdict(
        Level.ACT,
        f"The engine is gone{pid}, last seen {ago} ago; these are its last figures.",
        f"Engine gone{pid}, last seen {ago} ago: its last figures.",
    )


def stalled(scene: Scene) -> Verdict | None:
    """Unfinished requests and no step."""
    snapshot = scene.snapshot
    if snapshot.engine.state is not EngineState.STALLED:
        return None
    if _admits_nobody(scene) and not snapshot.running and not snapshot.in_flight:
        return None  # Nothing may run: the rule about the admission says so.
    unfinished = snapshot.running + snapshot.waiting
    if not snapshot.in_flight:
        return Verdict(Level.ACT, f"Stalled: {_requests(unfinished)}, and the scheduler makes no step.")
    oldest = max(snapshot.in_flight, key=lambda batch: batch.age_s)
    where = "" if oldest.group is None else f" of group {oldest.group}"
    what = f"{KIND[oldest.kind]}{where}"
    return Verdict(
        Level.ACT,
        f"Stalled: step {oldest.step:,} ({what}) is on the device for {duration(oldest.age_s)}; "
        f"{_requests(unfinished)} unfinished.",
        f"Stalled: {what} on the device for {duration(oldest.age_s)}; {unfinished} unfinished",
    )


def restarted(scene: Scene) -> Verdict | None:
    """Another process took over the name; said for a minute."""
    if scene.restarted_ago_s is None or scene.restarted_ago_s > 60:
        return None
    ago = duration(scene.restarted_ago_s)
    pid = scene.snapshot.engine.pid or "--"
    return Verdict(
        Level.NOTE,
        f"RESTARTED {ago} ago: another process (pid {pid}) serves under this name, limits as started.",
        f"RESTARTED {ago} ago: pid {pid}, limits as started",
    )


def starting(scene: Scene) -> Verdict | None:
    """The scheduler has not run yet."""
    if scene.snapshot.engine.state is not EngineState.STARTING:
        return None
    return Verdict(Level.NOTE, "Starting: the scheduler has not run yet.")


def silent(scene: Scene) -> Verdict | None:
    """The engine's process gives no sign of life."""
    if scene.snapshot.age_s < SILENT_S or scene.snapshot.engine.state is EngineState.UNKNOWN:
        return None
    return Verdict(Level.ACT, f"No sign of life from the engine for {duration(scene.snapshot.age_s)}.")


def closed(scene: Scene) -> Verdict | None:
    """Admission is closed."""
    snapshot = scene.snapshot
    if not _admits_nobody(scene):
        return None
    level = Level.WATCH if snapshot.waiting else Level.NOTE
    state = snapshot.limits.admission_state
    if state.paused_by_engine and not state.closed:
        return Verdict(
            level,
            f"Paused by somebody else (vLLM's /pause), who has to resume it; {_wait(snapshot.waiting)}.",
            f"Paused by somebody else (vLLM's /pause); {snapshot.waiting} wait",
        )
    until = "" if state.closed_until_s is None else f" for {time_left(snapshot, state.closed_until_s)}"
    runs = f"{_run(snapshot.running)} and finish" if snapshot.running else "nothing runs any more"
    return Verdict(
        level,
        f"Admission is closed{until}: {runs}, {_wait(snapshot.waiting)}.",
        f"Admission closed{until}: {snapshot.running} run, {snapshot.waiting} wait",
    )


def trying(scene: Scene) -> Verdict | None:
    """A change is on trial: silence undoes it, and no other can be made."""
    snapshot = scene.snapshot
    trial = snapshot.limits.trial
    if trial is None:
        return None
    behind = snapshot.waiting and snapshot.admission_stop in (
        AdmissionStop.MAX_NUM_SEQS,
        AdmissionStop.GROUP_CAPS,
    )
    what, when = _tried(snapshot.limits), reverts(snapshot, trial)
    waits = f"; {_wait(snapshot.waiting)}" if behind else ""
    return Verdict(
        Level.WATCH if behind else Level.NOTE,
        f"Trying {what}: {when} unless kept (rblnctl confirm {clean(trial.change_id)}){waits}.",
        f"Trying {what}: {when}" + (f"; {snapshot.waiting} wait" if behind else ""),
    )


def limited(scene: Scene) -> Verdict | None:
    """Requests wait behind a limit that was lowered through us."""
    snapshot = scene.snapshot
    limits = snapshot.limits
    stop = snapshot.admission_stop
    if not snapshot.waiting or stop not in (AdmissionStop.MAX_NUM_SEQS, AdmissionStop.GROUP_CAPS):
        return None
    oldest = f", the oldest for {duration(snapshot.oldest_wait_s)}" if snapshot.oldest_wait_s else ""
    wait = _wait(snapshot.waiting)
    if stop is AdmissionStop.GROUP_CAPS or limits.admission_from is LimitKind.GROUP_CAP:
        lowered = [cap for cap in limits.group_caps if cap.lowered]
        if lowered:
            cap = min(lowered, key=lambda cap: cap.wanted / max(cap.ceiling, 1))
            more = f" ({len(lowered)} groups are capped)" if len(lowered) > 1 else ""
            what = f"Group {cap.group} is capped at {cap.wanted} of {cap.ceiling}"
            return Verdict(
                Level.WATCH,
                f"{what}{more}; {wait}{oldest}.",
                f"{what}; {snapshot.waiting} wait{oldest}",
                Remedy("G", "change", f"set_group_cap({cap.group or 0})"),
            )
    seqs = limits.max_num_seqs
    if seqs is None or not seqs.lowered:
        return None
    what = f"max_num_seqs is set to {seqs.wanted} of {seqs.ceiling}"
    return Verdict(
        Level.WATCH, f"{what}; {wait}{oldest}.", f"{what}; {snapshot.waiting} wait{oldest}", SET_SEQS
    )


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
        Remedy("G", "cap", f"set_group_cap({largest.group})"),
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
        Level.WATCH,
        f"KV blocks are full ({percent(usage)}){lost}; {_wait(snapshot.waiting)}. "
        "Fewer running requests would end the preemptions.",
        f"KV blocks full ({percent(usage)}){lost}; {snapshot.waiting} wait",
        SET_SEQS,
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
        Remedy("G", "cap", f"set_group_cap({worst.group})"),
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
        f"{_wait(scene.snapshot.waiting)}. More buckets need a new compile (decode_batch_bucket_limit).",
        f"Padding {percent(ratio)} in the one bucket of {buckets[0]}; {scene.snapshot.waiting} wait",
    )


def held(scene: Scene) -> Verdict | None:
    """Group caps bind at once, and running requests take turns."""
    snapshot = scene.snapshot
    if not snapshot.held:
        return None
    return Verdict(
        Level.NOTE,
        f"Holding {snapshot.held} of {_requests(snapshot.running)} back in turns, until the group caps "
        "have room for all.",
        f"Holding {snapshot.held} of {_requests(snapshot.running)} back in turns",
    )


def draining(scene: Scene) -> Verdict | None:
    """A lowered limit is on its way."""
    snapshot = scene.snapshot
    admission = snapshot.limits.admission
    if admission is None or snapshot.running <= admission or not snapshot.limits.generation:
        return None
    over = snapshot.running - admission
    return Verdict(
        Level.NOTE,
        f"Draining: {snapshot.running} run, {admission} may; {over} more will finish and not be replaced.",
        f"Draining: {snapshot.running} run, {admission} may; {over} more to finish",
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
        f"Room to spare: {_run(scene.snapshot.running)}, and the queue is {percent(occupancy)} full.",
        f"Room to spare: {_run(scene.snapshot.running)}, queue {percent(occupancy)} full",
    )


def all_well(scene: Scene) -> Verdict | None:
    """Nothing above."""
    occupancy = scene.window.queue_occupancy_ratio
    if occupancy is None or not known(occupancy):
        return Verdict(
            Level.GOOD, f"Serving: {_run(scene.snapshot.running)}, {_wait(scene.snapshot.waiting)}."
        )
    if occupancy >= PIPELINE_FULL:
        waiting = f" {_wait(scene.snapshot.waiting).capitalize()}." if scene.snapshot.waiting else ""
        return Verdict(Level.GOOD, f"All even, pipeline full.{waiting}")
    return Verdict(Level.GOOD, f"All even; the queue is {percent(occupancy)} full.")


RULES: tuple[Rule, ...] = (
    stale,
    gone,
    stalled,
    restarted,
    starting,
    silent,
    closed,
    trying,
    limited,
    collapsed,
    kv_full,
    prefill_storm,
    padded,
    one_bucket,
    held,
    draining,
    idle,
    underfed,
    all_well,
)


def _admits_nobody(scene: Scene) -> bool:
    state = scene.snapshot.limits.admission_state
    return scene.snapshot.engine.state is EngineState.CLOSED or state.closed or state.paused_by_engine


def _tried(limits: Limits) -> str:
    """What the trial moved."""
    tried = limits.tried
    if not tried:
        return "a change"
    if len(tried) > 1:
        return f"{len(tried)} limits"
    (limit,) = tried
    name = "max_num_seqs" if limit.group is None else f"cap of group {limit.group}"
    return f"{name} {_value(limit, limit.reverts_to)} -> {_value(limit, limit.target)}"


def _value(limit: Limit, target: int | None) -> int:
    return limit.ceiling if target is None else target


def _requests(number: int) -> str:
    return f"{count(number)} request" + ("" if number == 1 else "s")


def _run(number: int) -> str:
    return f"{_requests(number)} run" + ("s" if number == 1 else "")


def _wait(number: int) -> str:
    if not number:
        return "none waits"
    return f"{_requests(number)} wait" + ("s" if number == 1 else "")
