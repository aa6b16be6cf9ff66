"""Rules about limits: closed, on trial, lowered, draining."""

from __future__ import annotations

from rblntop.model import AdmissionStop, Limit, LimitKind, Limits
from rblntop.scene import Scene
from rblntop.text.cells import clean
from rblntop.text.durations import countdown, duration
from rblntop.text.numbers import count, known, rate
from rblntop.time_left import reverts, time_left
from rblntop.trial_effect import TrialEffect
from rblntop.verdict.sentences import admits_nobody, requests, run, wait
from rblntop.verdict.verdict import Figure, Level, Remedy, Verdict
from rblntop.who import by_and_when, caller, change_of_limit, change_of_trial, closing

OURS = (AdmissionStop.MAX_NUM_SEQS, AdmissionStop.GROUP_CAPS)
SET_SEQS = Remedy("M", "change", "set_max_num_seqs")
OPEN = Remedy("A", "open", "admission")


def closed(scene: Scene) -> Verdict | None:
    """Admission is closed."""
    snapshot = scene.snapshot
    if not admits_nobody(scene):
        return None
    level = Level.WATCH if snapshot.waiting else Level.NOTE
    state = snapshot.limits.admission_state
    if state.paused_by_engine and not state.closed:
        return Verdict(
            level,
            f"Paused by somebody else (vLLM's /pause), who has to resume it; {wait(snapshot.waiting)}.",
            f"Paused by somebody else (vLLM's /pause); {snapshot.waiting} wait",
        )
    closed_by = closing(scene.changes, snapshot.engine)
    who = f" ({caller(closed_by)})" if closed_by is not None and closed_by.caller else ""
    until = "" if state.closed_until_s is None else f" for {time_left(snapshot, state.closed_until_s)}"
    runs = f"{run(snapshot.running)} and finish" if snapshot.running else "nothing runs any more"
    return Verdict(
        level,
        f"Admission is closed{until}{who}: {runs}, {wait(snapshot.waiting)}.",
        f"Admission closed{until}: {snapshot.running} run, {snapshot.waiting} wait",
        remedy=OPEN if state.closed else None,
        figures=(
            Figure("closed", by_and_when(closed_by, snapshot) or "--"),
            Figure("still running", count(snapshot.running), "drained at 0"),
            Figure("waiting", count(snapshot.waiting), "amber if any waits"),
        ),
        dated=True,
    )


def trying(scene: Scene) -> Verdict | None:
    """A change is on trial: silence undoes it, and no other can be made."""
    snapshot = scene.snapshot
    limits, trial = snapshot.limits, snapshot.limits.trial
    if trial is None:
        return None
    behind = snapshot.waiting and snapshot.admission_stop in OURS
    what, when = _tried(limits), reverts(snapshot, trial)
    started = change_of_trial(trial, scene.changes, snapshot.engine)
    who = f" ({caller(started)})" if started is not None and started.caller else ""
    settled = ""
    if trial.reverts_at_s is not None and limits.settled_step is not None:
        settled = f", settled at step {count(limits.settled_step)}"
    did, did_short = _did(scene.effect)
    waits = f"; {wait(snapshot.waiting)}" if behind else ""
    return Verdict(
        Level.WATCH if behind else Level.NOTE,
        f"TRYING {what}{who}{settled}{did}; {when}{waits}",
        f"TRYING {what}{who}{did_short}: {when}",
        f"TRYING {what}: {when}",
        Remedy("K", "keep", "keep"),
        Remedy("U", "undo", "undo"),
        figures=(
            Figure("change", clean(trial.change_id), by_and_when(started, snapshot)),
            Figure("time", when, "unless kept"),
            *_effect_figures(scene.effect),
        ),
        dated=True,
    )


def _did(effect: TrialEffect | None) -> tuple[str, str]:
    """Before and after, at length and short."""
    if effect is None or effect.before is None or not known(effect.before):
        return "", ""
    before = rate(effect.before)
    if effect.after is None:
        return f"; {before} tok/s before it", ""
    if not effect.comparable:
        return "; not comparable: load moved", ""
    return f"; {before} -> {rate(effect.after)} tok/s", f" {before} -> {rate(effect.after)} tok/s"


def _effect_figures(effect: TrialEffect | None) -> tuple[Figure, ...]:
    if effect is None:
        return ()
    before = Figure("tokens/s, the minute before", rate(effect.before))
    if effect.after is not None:
        said = "" if effect.comparable else "not comparable: more or fewer requests came"
        return (before, Figure("tokens/s, the minute after", rate(effect.after), said))
    due = "a minute after it has settled" if effect.due_in_s is None else f"in {countdown(effect.due_in_s)}"
    return (before, Figure("tokens/s, the minute after", "--", due))


def limited(scene: Scene) -> Verdict | None:
    """Requests wait behind a limit that was lowered through us."""
    snapshot, limits = scene.snapshot, scene.snapshot.limits
    if not snapshot.waiting or snapshot.admission_stop not in OURS:
        return None
    more, limit = "", limits.max_num_seqs
    lowered = [cap for cap in limits.group_caps if cap.lowered]
    by_caps = snapshot.admission_stop is AdmissionStop.GROUP_CAPS
    if lowered and (by_caps or limits.admission_from is LimitKind.GROUP_CAP):
        limit = min(lowered, key=lambda cap: cap.wanted / max(cap.ceiling, 1))
        more = f" ({len(lowered)} groups are capped)" if len(lowered) > 1 else ""
    if limit is None or not limit.lowered:
        return None
    value = f"{limit.wanted} of {limit.ceiling}"
    what, remedy = f"max_num_seqs is set to {value}", SET_SEQS
    if limit.group is not None:
        what = f"Group {limit.group} is capped at {value}"
        remedy = Remedy("G", "change", f"set_group_cap({limit.group})")
    change = change_of_limit(limit, scene.changes, snapshot.engine)
    set_by = by_and_when(change, snapshot)
    if set_by:
        text = f"{what}{more} ({set_by}); {wait(snapshot.waiting)}."
        short = f"{what} ({by_and_when(change, snapshot, reason=False)}); {snapshot.waiting} wait"
    else:
        oldest = f", the oldest for {duration(snapshot.oldest_wait_s)}" if snapshot.oldest_wait_s else ""
        text = f"{what}{more}; {wait(snapshot.waiting)}{oldest}."
        short = f"{what}; {snapshot.waiting} wait{oldest}"
    return Verdict(
        Level.WATCH,
        text,
        short,
        short.replace(" is ", " ", 1),
        remedy,
        figures=_limited_by(scene, limit, set_by),
        dated=bool(set_by),
    )


def _limited_by(scene: Scene, limit: Limit, set_by: str) -> tuple[Figure, ...]:
    snapshot = scene.snapshot
    name = "max_num_seqs" if limit.group is None else f"cap of group {limit.group}"
    return (
        Figure(name, f"{limit.wanted} of {limit.ceiling}", set_by or "set through rblntop"),
        Figure("admission", count(snapshot.limits.admission), f"{run(snapshot.running)}"),
        Figure("waiting", count(snapshot.waiting), "more than 0, held by a limit of ours"),
    )


def held(scene: Scene) -> Verdict | None:
    """Group caps bind at once, and running requests take turns."""
    snapshot = scene.snapshot
    if not snapshot.held:
        return None
    return Verdict(
        Level.NOTE,
        f"Holding {snapshot.held} of {requests(snapshot.running)} back in turns, until the group caps "
        "have room for all.",
        f"Holding {snapshot.held} of {requests(snapshot.running)} back in turns",
        figures=(Figure("held back", count(snapshot.held), "more than 0"),),
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
        figures=(Figure("running", count(snapshot.running), f"above {admission}, what may run"),),
    )


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
