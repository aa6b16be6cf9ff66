"""``rblnctl steps``: every step, in order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rblntop.cli.options import chosen_engine, connect_option, engine_options, json_option
from rblntop.cli.past_options import past_options, past_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rblntop_api.v1 import step_pb2


@click.command()
@engine_options
@connect_option
@json_option
@click.option(
    "--from", "from_sequence", type=click.IntRange(min=0), metavar="SEQ", help="First record wanted."
)
@click.option("--no-follow", is_flag=True, help="End at the newest record instead of waiting for more.")
@past_options
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after N records.")
def steps(
    engine: str | None,
    engine_option: str | None,
    connect: str | None,
    as_json: bool,
    from_sequence: int | None,
    no_follow: bool,
    count: int | None,
    ring: Path | None,
    recording: Path | None,
) -> None:
    """Follow the steps of one engine: what was scheduled, in which group, in which compiled bucket.

    Without --from it starts now; with --no-follow, at the oldest record that the engine's recorder holds.
    With --ring or --recording it prints what is in the file, and needs no daemon.
    """
    if from_sequence is not None and from_sequence >= 2**64:
        raise click.UsageError(f"--from {from_sequence}: not a sequence number.")
    if no_follow and from_sequence is None:
        from_sequence = 0

    printing = _printer(as_json, count)
    if ring is not None or recording is not None:
        if engine or engine_option or connect:
            raise click.UsageError("A file holds one engine: name none, and no daemon.")
        with past_steps(ring, recording, from_sequence or 0) as history:
            for run in history.runs:
                if not printing(run.steps, run.missed):
                    break
            for note in history.notes():
                click.echo(note, err=True)
        return
    import asyncio
    from contextlib import aclosing

    from rblntop.client import Client

    async def follow() -> None:
        async with (
            Client(connect) as client,
            aclosing(
                client.watch_steps(
                    chosen_engine(engine, engine_option), from_sequence=from_sequence, follow=not no_follow
                )
            ) as stream,
        ):
            async for message in stream:
                if not printing(message.steps, message.missed):
                    return

    asyncio.run(follow())


def _printer(as_json: bool, count: int | None) -> Callable[[Sequence[step_pb2.Step], int], bool]:
    """Prints steps and what is missing before them; false once there were enough."""
    import json

    from rblntop.blocks.step_line import STEP_HEADER, step_line
    from rblntop.cli.json_output import print_json
    from rblntop.model.from_proto import step_from_proto

    printed = 0
    if not as_json:
        click.echo(STEP_HEADER)

    def printing(steps: Sequence[step_pb2.Step], missed: int) -> bool:
        nonlocal printed
        if missed and as_json:
            click.echo(json.dumps({"missed": str(missed)}))
        elif missed:
            click.echo(f"gap {missed:,} steps that the recorder no longer holds")
        for step in steps:
            if as_json:
                print_json(step, one_line=True)
            else:
                click.echo(step_line(step_from_proto(step)))
            printed += 1
            if printed == count:
                return False
        return True

    return printing
