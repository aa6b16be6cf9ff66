"""What a change of limits did on several engines, one a line."""

from __future__ import annotations

from collections.abc import Sequence

from rblntop.blocks.change_report import progress
from rblntop.model import EngineChange
from rblntop.text.cells import clean, left, right
from rblntop.text.numbers import count


def change_table(changes: Sequence[EngineChange]) -> list[str]:
    """A heading, and a line for each engine."""
    names = [clean(change.engine) for change in changes]
    width = max(6, *(len(name) for name in names))
    lines = [f"{left('ENGINE', width)}   GEN  ADMITS  CHANGE"]
    for change, name in zip(changes, names, strict=True):
        because = f" ({clean(change.waiting_because)})" if change.waiting_because else ""
        lines.append(
            f"{left(name, width)}  {right(count(change.generation), 4)}  "
            f"{right(count(change.limits.admission), 6)}  {progress(change.limits)}{because}"
        )
    return lines
