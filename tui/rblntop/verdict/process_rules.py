"""Rules about the daemon and the engine's process."""

from __future__ import annotations

from rblntop.model import EngineState
from rblntop.scene import Scene
from rblntop.text.durations import duration
from rblntop.text.words import KIND
from rblntop.verdict.sentences import admits_nobody, requests
from rblntop.verdict.verdict import Figure, Level, Verdict

SILENT_S = 5.0
RESTARTED_S = 60.0
STALLED_IF = "stalled: some, and no step for 5 s or 20 x the p99 step"


def stale(scene: Scene) -> Verdict | None:
    """The daemon went away: the rest of the screen is old."""
    if not scene.stale:
        return None
    age = duration(scene.link.age_s)
    return Verdict(
        Level.ACT,
        f"The daemon went away {age} ago; these are its last figures. The engine runs on. Reconnecting.",
        f"Daemon away for {age}: last figures. Engine runs on. Reconnecting.",
        figures=(Figure("last message", f"{age} ago", "the interval and 3 s"),),
        dated=True,
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
        figures=(Figure("process", f"ended{pid}"), Figure("last sign of life", f"{ago} ago")),
        dated=True,
    )


def stalled(scene: Scene) -> Verdict | None:
    """Unfinished requests and no step."""
    snapshot = scene.snapshot
    if snapshot.engine.state is not EngineState.STALLED:
        return None
    if admits_nobody(scene) and not snapshot.running and not snapshot.in_flight:
        return None  # Nothing may run: the rule about the admission says so.
    unfinished = snapshot.running + snapshot.waiting
    if not snapshot.in_flight:
        return Verdict(
            Level.ACT,
            f"Stalled: {requests(unfinished)}, and the scheduler makes no step.",
            figures=(Figure("unfinished requests", str(unfinished), STALLED_IF),),
        )
    oldest = max(snapshot.in_flight, key=lambda batch: batch.age_s)
    where = "" if oldest.group is None else f" of group {oldest.group}"
    what = f"{KIND[oldest.kind]}{where}"
    return Verdict(
        Level.ACT,
        f"Stalled: step {oldest.step:,} ({what}) is on the device for {duration(oldest.age_s)}; "
        f"{requests(unfinished)} unfinished.",
        f"Stalled: {what} on the device for {duration(oldest.age_s)}; {unfinished} unfinished",
        figures=(
            Figure("oldest batch in flight", f"{what}, step {oldest.step:,}, {duration(oldest.age_s)}"),
            Figure("unfinished requests", str(unfinished), STALLED_IF),
        ),
        dated=True,
    )


def restarted(scene: Scene) -> Verdict | None:
    """Another process took over the name; said for a minute."""
    if scene.restarted_ago_s is None or scene.restarted_ago_s > RESTARTED_S:
        return None
    ago = duration(scene.restarted_ago_s)
    pid = scene.snapshot.engine.pid or "--"
    return Verdict(
        Level.NOTE,
        f"RESTARTED {ago} ago: another process (pid {pid}) serves under this name, limits as started.",
        f"RESTARTED {ago} ago: pid {pid}, limits as started",
        figures=(Figure("another process", f"{ago} ago", f"said for {duration(RESTARTED_S)}"),),
        dated=True,
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
    age = duration(scene.snapshot.age_s)
    return Verdict(
        Level.ACT,
        f"No sign of life from the engine for {age}.",
        figures=(Figure("last sign of life", f"{age} ago", f"at most {duration(SILENT_S)}"),),
        dated=True,
    )
