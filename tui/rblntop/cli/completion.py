"""Completion in the shell, by click's own means: it asks the program itself, through the environment."""

from __future__ import annotations

import os

import click


def answer_shell(command: click.Command) -> int | None:
    """Answer a shell that asks to complete; None: nobody asks.

    ``_RBLNCTL_COMPLETE=bash_source rblnctl`` prints what a shell is to evaluate.
    """
    program = command.name or ""
    variable = f"_{program}_COMPLETE".replace("-", "_").upper()
    instruction = os.environ.get(variable)
    if not instruction:
        return None
    from click.shell_completion import shell_complete

    return shell_complete(command, {}, program, variable, instruction)
