"""``--ring FILE`` and ``--recording FILE``: steps of the past, without a daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rblntop.history import History

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def past_options(command: Decorated) -> Decorated:
    """Where steps of the past come from."""
    file = click.Path(path_type=Path)
    command = click.option(
        "--ring",
        type=file,
        metavar="FILE",
        help="From an engine's ring file, dead or alive: no daemon.",
    )(command)
    return click.option(
        "--recording", type=file, metavar="FILE", help="From a recording (see rblnctl record): no daemon."
    )(command)


@contextmanager
def past_steps(ring: Path | None, recording: Path | None, first: int = 0) -> Iterator[History]:
    """The steps of one of the two files, from record ``first`` on.

    Raises:
        UsageError: both were given.
        ClientError: the file cannot be read.
    """
    if ring is not None and recording is not None:
        raise click.UsageError("--ring or --recording: give one of them.")
    if ring is not None:
        from rblntop.cli.ring_history import ring_history

        yield ring_history(ring, first)
        return
    assert recording is not None
    from dataclasses import replace

    from rblntop.history import History
    from rblntop.recording.reader import Recording
    from rblntop.recording.step_block import StepRun

    def from_first(run: StepRun) -> StepRun:
        steps = [step for step in run.steps if step.sequence >= first] if first else run.steps
        return replace(run, steps=steps)

    with Recording.open(recording) as found:
        runs = (run for run in map(from_first, found.steps()) if run.steps)
        yield History(str(recording), runs, found.changes, lambda: found.notes)
