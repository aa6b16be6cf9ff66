"""``rblnctl steps``: every step, in order."""

from __future__ import annotations

import click

from rblntop.cli.options import chosen_engine, connect_option, engine_options, json_option


@click.command()
@engine_options
@connect_option
@json_option
@click.option(
    "--from", "from_sequence", type=click.IntRange(min=0), metavar="SEQ", help="First record wanted."
)
@click.option("--no-follow", is_flag=True, help="End at the newest record instead of waiting for more.")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after N records.")
def steps(
    engine: str | None,
    engine_option: str | None,
    connect: str | None,
    as_json: bool,
    from_sequence: int | None,
    no_follow: bool,
    count: int | None,
) -> None:
    """Follow the steps of one engine: what was scheduled, in which group, in which compiled bucket.

    Without --from it starts now; with --no-follow, at the oldest record that the engine's recorder holds.
    """
    import asyncio
    import json
    from contextlib import aclosing

    from rblntop.blocks.step_line import STEP_HEADER, step_line
    from rblntop.cli.json_output import print_json
    from rblntop.client import Client
    from rblntop.model.from_proto import step_from_proto

    if from_sequence is not None and from_sequence >= 2**64:
        raise click.UsageError(f"--from {from_sequence}: not a sequence number.")
    if no_follow and from_sequence is None:
        from_sequence = 0

    async def follow() -> None:
        printed = 0
        if not as_json:
            click.echo(STEP_HEADER)
        async with (
            Client(connect) as client,
            aclosing(
                client.watch_steps(
                    chosen_engine(engine, engine_option), from_sequence=from_sequence, follow=not no_follow
                )
            ) as stream,
        ):
            async for message in stream:
                if message.missed and as_json:
                    click.echo(json.dumps({"missed": str(message.missed)}))
                elif message.missed:
                    click.echo(f"gap {message.missed:,} steps that the recorder no longer holds")
                for step in message.steps:
                    if as_json:
                        print_json(step, one_line=True)
                    else:
                        click.echo(step_line(step_from_proto(step)))
                    printed += 1
                    if printed == count:
                        return

    asyncio.run(follow())
