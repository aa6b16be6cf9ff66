"""Reads the log back, newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rblntopd.audit.log_file import Line, read_backwards

_SHOWN = {"done", "refused", "unknown", "restart", "gap"}


def changes(
    newest_first: Sequence[Path],
    unwritten: Sequence[Line],
    wanted: Callable[[Line], bool],
    limit: int,
    since: str,
    *,
    broken: bool = False,
) -> list[Line]:
    """At most ``limit`` lines that tell of a change, newest first.

    What was just asked for is no change yet: its outcome follows in seconds, unless the disk is ``broken``.

    Args:
        newest_first: the log's files.
        unwritten: lines that wait for the disk.
        wanted: which lines are meant.
        limit: how many at most.
        since: only what is newer than this moment (:func:`lines.time_text`); empty: all.
        broken: whether outcomes may be missing because the log cannot be written.
    """
    found: list[Line] = []
    settled: set[str] = set()
    for line in _all(newest_first, unwritten):
        # A line never tells of what is later than when it was logged.
        if since and str(line.get("logged", since)) < since:
            break
        kind = line.get("line")
        intent = line.get("intent")
        if not all(isinstance(text, str) for text in (kind, line.get("intent", ""), line.get("id", ""))):
            continue  # Not a line of ours.
        if kind in ("unknown", "intent"):
            intent = intent or line.get("id")
            if intent in settled:
                continue
        if intent:
            settled.add(intent)
        if kind == "intent" and broken:
            text = "whether it was done is not in the log, which cannot be written"
            line = line | {"line": "unknown", "detail": text}
            kind = "unknown"
        if kind not in _SHOWN or (since and str(line.get("time", "")) <= since) or not wanted(line):
            continue
        found.append(line)
        if len(found) >= limit:
            break
    return sorted(found, key=lambda line: str(line.get("time", "")), reverse=True)


def _all(newest_first: Sequence[Path], unwritten: Sequence[Line]) -> Iterator[Line]:
    yield from reversed(unwritten)
    for path in newest_first:
        yield from read_backwards(path)
