"""Steps as CSV and as NDJSON."""

from __future__ import annotations

import csv
import json
from typing import TextIO

from rblntop.export.step_fields import KIND, STOP, causes_of, step_json
from rblntop.history import History
from rblntop_api.v1 import step_pb2

OPTIONAL = ("group", "padded_batch")
COLUMNS = [field.name for field in step_pb2.Step.DESCRIPTOR.fields if field.message_type is None]


def write_csv(history: History, out: TextIO) -> int:
    """A row a step, and how many there were.

    ``time_s`` is the wall clock of its completion, ``missed_before`` the records before it that nobody has,
    ``causes`` those of an empty run, as in ``demand=3 collapse=1``. What is not known is empty.
    """
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["engine", "instance", "time_s", "missed_before", *COLUMNS, "causes"])
    count = 0
    for run in history.runs:
        who = [run.engine.name, run.engine.instance_id] if run.engine is not None else ["", ""]
        missed = run.missed
        for step in run.steps:
            time_s = f"{(step.completed_ns + run.offset_ns) / 1e9:.6f}" if run.offset_ns else ""
            causes = " ".join(f"{cause}={steps}" for cause, steps in causes_of(step).items())
            table.writerow([*who, time_s, missed, *(_value(step, name) for name in COLUMNS), causes])
            missed = 0
            count += 1
    return count


def write_ndjson(history: History, out: TextIO) -> int:
    """A line a step, as ``rblnctl steps --json`` prints it, and how many there were."""
    count = 0
    for run in history.runs:
        if run.missed:
            out.write(json.dumps({"missed": str(run.missed)}) + "\n")
        for step in run.steps:
            out.write(json.dumps(step_json(step)) + "\n")
            count += 1
    return count


def _value(step: step_pb2.Step, name: str) -> object:
    if name in OPTIONAL and not step.HasField(name):
        return ""
    value = getattr(step, name)
    if name == "kind":
        return KIND.get(value, value)
    if name == "admission_stop":
        return STOP.get(value, value)
    return f"{value:.6g}" if isinstance(value, float) else value
