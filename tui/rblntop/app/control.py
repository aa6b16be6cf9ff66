"""What the operator asks of engines: whether it may be asked now, and what came of it."""

from __future__ import annotations

from rblntop.client.errors import RefusedError, UnreachableError
from rblntop.limit_draft import LimitDraft, drafted_limits
from rblntop.model import EngineState, LoggedChange
from rblntop.scene import Scene
from rblntop.text.cells import clean
from rblntop.who import by_and_when, of_engine

MOVED = "GENERATION_MISMATCH"
DENIED = "PERMISSION_DENIED"
PROBE_DENIED = "PROBE_DENIED"


def cannot_change(scene: Scene) -> str:
    """Why nothing can be asked of the engine on the screen now. Empty: it can."""
    if scene.link.readonly:
        return f"Read-only: {scene.link.readonly_because}."
    if scene.stale:
        return "Not now: the daemon is away, and only it can reach the engine."
    if scene.snapshot.engine.state is EngineState.GONE:
        return "Not now: the engine is gone."
    return ""


def said(error: RefusedError | UnreachableError) -> str:
    """What to tell the operator."""
    if isinstance(error, UnreachableError):
        if error.timed_out:
            return "no answer in time: it may have been done, the generation tells"
        return f"the daemon does not answer: {error.cause}"
    return error.message


def moved_to(error: RefusedError) -> int | None:
    """The generation that the limits have moved on to, if that is why it was refused."""
    if error.reason != MOVED:
        return None
    number = error.metadata.get("generation", "")
    return int(number) if number.isdecimal() else None


def takes_rights(error: RefusedError) -> bool:
    """The daemon will not take changes from us at all."""
    return error.code == DENIED and error.reason != PROBE_DENIED


def moved_because(draft: LimitDraft, generation: int, scene: Scene) -> str:
    """Who moved the limits, what they are now, and what Enter does next."""
    latest: LoggedChange | None = next(
        (
            change
            for change in of_engine(scene.changes, scene.snapshot.engine)
            if change.generation == generation
        ),
        None,
    )
    who = by_and_when(latest, scene.snapshot, reason=False)
    now = ""
    if scene.snapshot.limits.generation == generation:
        values = " ".join(str(limit.wanted) for limit in drafted_limits(draft, scene.snapshot.limits)[:8])
        now = f" now {values}." if values else ""
    by = f" ({clean(who)})" if who else ""
    return f"the limits moved to generation {generation}{by}.{now} Enter: ask again"
