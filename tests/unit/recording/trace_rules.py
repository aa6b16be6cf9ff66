"""The rules of the Trace Event format that Perfetto's importer holds a trace to, as far as we use it."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

NEEDED = {
    "X": {"name", "ts", "dur", "pid", "tid"},
    "C": {"name", "ts", "pid", "args"},
    "i": {"name", "ts", "pid", "tid", "s"},
    "M": {"name", "pid", "args"},
}


def checked(path: Path) -> list[dict[str, Any]]:
    """The events of a trace that keeps all the rules."""

    def no_constant(text: str) -> None:
        raise AssertionError(f"{text} is not JSON")

    trace = json.loads(path.read_text(), parse_constant=no_constant)
    events = trace["traceEvents"]
    slices = defaultdict(list)
    for event in events:
        assert NEEDED[event["ph"]] <= set(event), event
        if event["ph"] == "M":
            continue
        assert math.isfinite(event["ts"])
        assert event["ts"] >= 0
        if event["ph"] == "X":
            assert event["dur"] >= 0
            slices[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
        if event["ph"] == "C":
            assert all(isinstance(value, int | float) for value in event["args"].values())
        if event["ph"] == "i":
            assert event["s"] in ("g", "p", "t")
    for found in slices.values():
        found.sort()
        # To the nanosecond: what overlaps without nesting is dropped by the importer.
        assert all(before[1] <= after[0] + 0.001 for before, after in pairwise(found))
    named = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    assert set(slices) <= named
    return events
