"""``rblnctl watch``: snapshots as they come."""

from __future__ import annotations

import click

from rblntop.cli.options import Seconds, chosen_engine, connect_option, engine_options, json_option


@click.command()
@engine_options
@connect_option
@json_option
@click.option(
    "--interval",
    type=Seconds(0.1, 60.0),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Time between snapshots.",
)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after N snapshots.")
def watch(
    engine: str | None,
    engine_option: str | None,
    connect: str | None,
    as_json: bool,
    interval: float,
    count: int | None,
) -> None:
    """Follow one engine, or all: a line (with --json an object) for each snapshot."""
    follow_snapshots(
        connect, chosen_engine(engine, engine_option), interval_s=interval, as_json=as_json, count=count
    )


def follow_snapshots(
    connect: str | None,
    engine: str,
    *,
    interval_s: float,
    as_json: bool,
    count: int | None = None,
    strip_cells: int = 0,
) -> None:
    """Print snapshots until interrupted, or ``count`` of them; also for ``rblntop --json --interval``."""
    import asyncio
    from contextlib import aclosing

    from rblntop.blocks.engine_list import NONE_YET
    from rblntop.blocks.watch_line import watch_line
    from rblntop.cli.json_output import print_json
    from rblntop.client import Client
    from rblntop.model.from_proto import snapshot_from_proto

    async def follow() -> None:
        ticks = 0
        told = False
        async with (
            Client(connect) as client,
            aclosing(
                client.watch_snapshots(engine, interval_s=interval_s, strip_cells=strip_cells)
            ) as stream,
        ):
            async for message in stream:
                if not message.snapshots and not told:
                    click.echo(NONE_YET, err=True)
                told = not message.snapshots
                for snapshot in message.snapshots:
                    if as_json:
                        print_json(snapshot, one_line=True)
                    else:
                        click.echo(watch_line(snapshot_from_proto(snapshot)))
                ticks += 1
                if ticks == count:
                    return

    asyncio.run(follow())
