"""rblnctl: the command line of rblntop."""

from __future__ import annotations

import sys

import click

from rblntop.cli.lazy_group import LazyCommand, LazyGroup
from rblntop.cli.options import connect_option
from rblntop.cli.run import run_command

COMMANDS = {
    "admission": LazyCommand(
        "rblntop.cli.admission", "admission", "Close or open the admission of requests."
    ),
    "cancel": LazyCommand("rblntop.cli.trial", "cancel", "Undo a change that is on trial."),
    "changes": LazyCommand("rblntop.cli.changes", "changes", "Who changed what, when and why."),
    "confirm": LazyCommand("rblntop.cli.trial", "confirm", "Keep a change that is on trial."),
    "doctor": LazyCommand("rblntop.cli.doctor", "doctor", "Find out why an engine is not watched."),
    "engines": LazyCommand("rblntop.cli.engines", "engines", "List the engines there are."),
    "events": LazyCommand("rblntop.cli.events", "events", "What happened, and what happens."),
    "export": LazyCommand("rblntop.cli.export", "export", "Write steps for Perfetto, or as a table."),
    "history": LazyCommand("rblntop.cli.history", "history", "Figures of the last hour or day."),
    "record": LazyCommand("rblntop.cli.record", "record", "Record an engine into a file."),
    "requests": LazyCommand("rblntop.cli.requests", "requests", "List the unfinished requests."),
    "reset": LazyCommand("rblntop.cli.reset", "reset", "Put limits back to what they were at start."),
    "set": LazyCommand("rblntop.cli.set_limits", "set_limits", "Change limits of a running engine."),
    "show": LazyCommand(
        "rblntop.cli.show", "show", "Show one engine now: requests, pipeline, groups, limits."
    ),
    "steps": LazyCommand("rblntop.cli.steps", "steps", "Follow the steps of one engine."),
    "watch": LazyCommand("rblntop.cli.watch", "watch", "Follow one engine, or all, live."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rblntop", prog_name="rblnctl")
@connect_option
def rblnctl(connect: str | None) -> None:
    """Watch and steer vLLM engines on RBLN NPUs.

    Exit codes: 0 done, 1 refused or failed, 2 usage, 3 daemon unreachable.
    """


def main() -> None:
    """Entry point of ``rblnctl``."""
    sys.exit(run_command(rblnctl))


if __name__ == "__main__":
    main()
