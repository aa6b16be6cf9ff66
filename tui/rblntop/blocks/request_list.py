"""The unfinished requests of an engine, one a line."""

from __future__ import annotations

from rblntop.model import RequestState, RequestTable
from rblntop.text.cells import clean, left, right
from rblntop.text.durations import duration
from rblntop.text.numbers import count

WORDS = {
    RequestState.UNKNOWN: "unknown",
    RequestState.WAITING: "waiting",
    RequestState.RUNNING: "running",
    RequestState.PREEMPTED: "preempted",
    RequestState.HELD: "held",
    RequestState.REMOTE_KV: "remote KV",
}


def request_list(table: RequestTable) -> list[str]:
    """A heading, a line for each request, and how many there are in all."""
    if not table.total:
        return ["No unfinished request."]
    ids = [clean(request.id) for request in table.requests]
    width = max(7, *map(len, ids), 0)
    lines = [f"{left('REQUEST', width)}  STATE      GROUP     AGE    WAIT   PROMPT   OUTPUT  PREEMPTED"]
    for request, name in zip(table.requests, ids, strict=True):
        group = "--" if request.group is None else str(request.group)
        lines.append(
            f"{left(name, width)}  {left(WORDS[request.state], 9)}  {right(group, 5)}  "
            f"{right(duration(request.age_s), 6)}  {right(duration(request.wait_s), 6)}  "
            f"{right(count(request.prompt_tokens), 7)}  {right(count(request.output_tokens), 7)}  "
            f"{right(count(request.preemptions), 9)}"
        )
    shown = len(table.requests)
    if shown < table.matching or table.matching < table.total:
        lines.append(f"{shown:,} of {table.matching:,} that match, of {table.total:,} unfinished requests")
    if table.recorded < table.total:
        lines.append(f"the engine told of {table.recorded:,}: those that run, then the head of the queue")
    return lines
