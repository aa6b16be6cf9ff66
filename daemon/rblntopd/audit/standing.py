"""What the log says is still open: read from its newest file at the start, and kept as lines are added."""

from __future__ import annotations

import itertools
import time
from collections.abc import Container, Iterable, Sequence
from pathlib import Path

from rblntopd.audit import lines
from rblntopd.audit.log_file import Line, read_lines
from rblntopd.probe.ring_format import Action

#: Intents without an outcome are few, and so are the rings of one host; older ones are given up.
MAX_OPEN = 1000
MAX_POSITIONS = 4096

_JOURNALLED_AS = {
    lines.REAPPLY: {Action.SET.name},
    Action.DETACH.name: {Action.DETACH.name, Action.RESET.name},
}
"""What the journal calls the actions that it knows by another name, or writes as two."""


class Standing:
    """The sum of all lines so far."""

    def __init__(self) -> None:
        self.positions: dict[str, int] = {}
        """Of each engine instance: how many entries of its journal are in the log."""
        self.open: dict[str, Line] = {}
        """Intents whose outcome is not known, oldest first."""
        self.several: dict[str, Line] = {}
        """Changes of several engines that are not over, by id."""

    def take(self, line: Line) -> None:
        """Add one line. Adding it twice makes no difference."""
        kind, instance = line.get("line"), str(line.get("instance", ""))
        if kind == "intent":
            _must_be_text(line["id"], line["instance"], line["action"], line["caller"]["name"], line["time"])
            self.open[line["id"]] = line
            while len(self.open) > MAX_OPEN:
                del self.open[next(iter(self.open))]
        elif kind in ("done", "gap"):
            if "journal" in line:
                # The latest last, so that the oldest is first to go.
                self.positions.pop(instance, None)
                self.positions[instance] = int(line["journal"])
                while len(self.positions) > MAX_POSITIONS:
                    del self.positions[next(iter(self.positions))]
            found = self.open.get(line.get("intent", ""))
            # A detach is written as a reset and a detach.
            if found is not None and (found["action"], line["action"]) != ("DETACH", "RESET"):
                del self.open[found["id"]]
        elif kind in ("refused", "nothing"):
            self.open.pop(line["intent"], None)
        elif kind == "unknown":
            # It may still come: then the journal says that it was this.
            if line["intent"] in self.open:
                self.open[line["intent"]] = self.open[line["intent"]] | {"doubt": True}
        elif kind == "restart":
            self.positions.setdefault(instance, 0)
        elif kind == "several":
            if line["stage"] == lines.OVER:
                self.several.pop(line["change_id"], None)
            else:
                _must_be_text(line["change_id"], line["time"], *line["instances"])
                self.several[line["change_id"]] = line
        elif kind == "carry":
            self.positions = {str(key): int(value) for key, value in line["positions"].items()}
            self.open, self.several = {}, {}
            for found in (*line["open"], *line["several"]):
                self.take(found)

    def carry(self) -> Line:
        """All of it as one line, for the beginning of a new file."""
        return {
            "line": "carry",
            "time": lines.time_text(time.time_ns()),
            "positions": dict(self.positions),
            "open": list(self.open.values()),
            "several": list(self.several.values()),
        }

    def intent_of(self, line: Line, taken: Container[str]) -> Line | None:
        """The intent, not one of those ``taken``, that a journal's entry carries out.

        Of several that are alike it is the oldest; one that was called unknown comes last.
        """
        for found in sorted(self.open.values(), key=lambda line: "doubt" in line):
            if (
                found["id"] not in taken
                and found["instance"] == line["instance"]
                and line["action"] in _JOURNALLED_AS.get(found["action"], {found["action"]})
                and found["caller"]["name"] == line["caller"]["name"]
                and all(found.get(key, "") == line.get(key, "") for key in ("reason", "change_id"))
            ):
                return found
        return None


def _must_be_text(*values: object) -> None:
    """A line is believed only if it has what others will look for in it: a bad one must not stop a daemon.

    Raises:
        TypeError: it has not.
    """
    if not all(isinstance(value, str) for value in values):
        raise TypeError("not a line of ours")


def read_standing(newest_first: Sequence[Path]) -> Standing:
    """What the files say, the newest of them and as many before it as it takes.

    Raises:
        OSError: a file cannot be read.
    """
    needed: list[Path] = []
    for path in newest_first:
        needed.append(path)
        first = next(iter(read_lines(path)), {})
        if first.get("line") == "carry":
            break
    standing = Standing()
    every: Iterable[Line] = itertools.chain.from_iterable(map(read_lines, reversed(needed)))
    for line in every:
        try:
            standing.take(line)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # Not a line of ours.
    return standing
