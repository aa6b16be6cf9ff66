"""Prints what became of a call that answers with engines: a line for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import click
from google.protobuf.message import Message

from rblntop.cli.json_output import print_json
from rblntop.text.cells import clean
from rblntop.text.numbers import count
from rblntop_api.v1 import control_pb2


class ChangedEngines(Protocol):
    """An answer with a part for each engine."""

    @property
    def engines(self) -> Sequence[control_pb2.EngineChange]:
        """In the order of their names."""


def print_outcome(answer: ChangedEngines, done: str, as_json: bool) -> None:
    """``done`` of every engine, and its warnings on stderr."""
    if as_json:
        assert isinstance(answer, Message)
        print_json(answer)
        return
    for change in answer.engines:
        limits = change.limits
        admits = "none" if limits.admission_state.closed else f"up to {count(limits.admission)}"
        generation = count(change.generation)
        click.echo(f"{clean(change.engine)}: {clean(done)}; generation {generation}, admits {admits}")
        for warning in change.warnings:
            click.echo(f"warning: {clean(change.engine)}: {clean(warning)}", err=True)
