"""The past of the engines in ``examples``, made up to fit: a cap forgotten 41 minutes ago."""

from __future__ import annotations

import math

from rblntop.lookback import COLUMNS
from rblntop.model import (
    ChangeAction,
    ChangeResult,
    EngineRequest,
    Event,
    EventKind,
    EventSeverity,
    History,
    HistorySeries,
    LimitKind,
    LimitValue,
    LoggedChange,
    RequestState,
    RequestTable,
    Step,
    StepKind,
)
from rblntop.source.examples import ENGINE, NOON_S

CAPPED_AT_S = NOON_S - 41 * 60


def history(engine: str = ENGINE.name, *, last_s: int = 3600, changed_at_s: float = CAPPED_AT_S) -> History:
    """Speed falls and a queue builds up when the cap is set."""
    start_s = NOON_S - last_s
    rows = []
    for second in range(last_s):
        since = start_s + second - changed_at_s
        wave = math.sin(second / 37) + 0.6 * math.sin(second / 11 + 1) + 0.4 * math.sin(second * 1.7)
        if since < 0:
            rows.append(
                (703 + 14 * wave, 30.0 + wave, max(0.0, 2 * wave), 0.04 + 0.01 * wave, 0.09 + 0.02 * wave)
            )
        else:
            settled = 1 - math.exp(-since / 30)
            queue = min(118.0, since / 14) + 2 * wave
            rows.append(
                (
                    703 - 132 * settled + 9 * wave,
                    32 - 6 * settled,
                    max(0.0, queue),
                    0.04 + 0.15 * settled + 0.008 * wave,
                    0.09 + 0.015 * wave,
                )
            )
    columns = [tuple(column) for column in zip(*rows, strict=True)]
    series = tuple(
        HistorySeries(column, None, values) for column, values in zip(COLUMNS, columns, strict=True)
    )
    return History(engine, start_s, 1.0, last_s, series)


def _change(
    number: int, ago_s: float, action: ChangeAction, value: LimitValue | None, by: str, reason: str = ""
) -> LoggedChange:
    return LoggedChange(
        time_s=NOON_S - ago_s,
        engine=ENGINE.name,
        action=action,
        result=ChangeResult.DONE,
        caller=by,
        reason=reason,
        change_id=f"c{number}",
        generation=number,
        values=(value,) if value is not None else (),
    )


def events() -> tuple[Event, ...]:
    """Two changes of limits, one of them kept after a trial, and a short stall."""
    seqs = _change(6, 55 * 60, ChangeAction.TRY, LimitValue(LimitKind.MAX_NUM_SEQS, None, 24, 32), "ops")
    kept = _change(6, 54 * 60, ChangeAction.CONFIRM, None, "ops")
    cap = _change(
        7, 41 * 60, ChangeAction.SET, LimitValue(LimitKind.GROUP_CAP, 2, 8, 2), "ops", "latency test"
    )

    def event(
        number: int,
        kind: EventKind,
        ago_s: float,
        text: str,
        *,
        of: LoggedChange | None = None,
        level: int = 1,
    ) -> Event:
        at_s, name, instance = NOON_S - ago_s, ENGINE.name, ENGINE.instance_id
        return Event(number, kind, EventSeverity(level), at_s, name, instance, text=text, change=of)

    return (
        event(1, EventKind.ENGINE_APPEARED, 7200, "engine appeared, pid 4242"),
        event(2, EventKind.TRIAL_STARTED, 3300, "ops tries max_num_seqs 24 -> 32 for 10 min", of=seqs),
        event(3, EventKind.TRIAL_KEPT, 3240, "ops keeps max_num_seqs 32", of=kept),
        event(4, EventKind.ENGINE_STALLED, 3000, "stalled: step 41,007 is on the device", level=3),
        event(5, EventKind.ENGINE_RESUMED, 2993, "resumed after 7 s", level=2),
        event(6, EventKind.LIMITS_CHANGED, 2460, 'ops sets cap of group 2: 8 -> 2 ("latency test")', of=cap),
        event(7, EventKind.CHANGE_SETTLED, 2448, "settled at step 88,230", of=cap),
    )


def requests(waiting: int = 118, running: int = 26) -> RequestTable:
    """A queue whose head waits for 38 s, and requests that run."""
    queue = [
        EngineRequest(
            f"chatcmpl-{(number * 40503 + 40737) & 0xFFFF:04x}",
            RequestState.WAITING,
            None,
            prompt_tokens=1204 - number * 37 % 1100,
            age_s=38.0 - number * 0.31,
            wait_s=38.0 - number * 0.31,
        )
        for number in range(waiting)
    ]
    runs = [
        EngineRequest(
            f"chatcmpl-{(number * 25717 + 11) & 0xFFFF:04x}",
            RequestState.RUNNING,
            number % 4,
            prompt_tokens=300 + number * 211 % 3000,
            output_tokens=40 + number * 97 % 900,
            age_s=60.0 + number * 2.5,
            wait_s=38.0 + number / 10,
        )
        for number in range(running)
    ]
    total = waiting + running
    return RequestTable((*queue, *runs), NOON_S, total, total, total)


def steps(batches: tuple[int, ...] = (8, 8, 2, 8), bucket: int = 8, count: int = 200) -> tuple[Step, ...]:
    """The groups in turn, and a prefill in between now and then."""
    groups = len(batches)
    made = []
    for number in range(count):
        group = number % groups
        if number % 23 == 9:
            made.append(Step(number, number, StepKind.PREFILL, requests=1, prefill_requests=1, row=group))
        elif number % 41 == 13:
            made.append(Step(number, number, StepKind.EMPTY, row=group))
        else:
            batch = batches[group]
            made.append(
                Step(number, number, StepKind.DECODE, group, requests=batch, padded_batch=bucket, row=group)
            )
    return tuple(made)
