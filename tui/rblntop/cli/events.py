"""``rblnctl events``: what happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rblntop.cli.duration_type import Duration
from rblntop.cli.options import chosen_engine, connect_option, engine_options, json_option

if TYPE_CHECKING:
    from rblntop.client.telemetry_requests import Severity


@click.command()
@engine_options
@click.option("--since", type=Duration(), help="Only those of the last 1h, 1d, ...")
@click.option("--follow", is_flag=True, help="Wait for more, until interrupted.")
@click.option(
    "--severity",
    type=click.Choice(["info", "watch", "act"]),
    default="info",
    show_default=True,
    help="Only what is at least so severe: watch is worth a look, act needs somebody.",
)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after N events.")
@connect_option
@json_option
def events(
    engine: str | None,
    engine_option: str | None,
    since: float | None,
    follow: bool,
    severity: Severity,
    count: int | None,
    connect: str | None,
    as_json: bool,
) -> None:
    """Show what happened to one engine, or to all; with --follow, what happens, too.

    Engines that came, went, stalled or were restarted, and every change of limits. The daemon keeps the last
    1,000; changes of before its start are those of the audit log.
    """
    import asyncio
    import json
    import time
    from contextlib import aclosing

    from rblntop.blocks.event_line import EVENT_HEADER, event_line
    from rblntop.cli.json_output import print_json
    from rblntop.client import Client
    from rblntop.model.telemetry_from_proto import event_from_proto

    since_time_s = 0.0 if since is None else time.time() - since
    printed = 0
    if not as_json:
        click.echo(EVENT_HEADER)

    async def read() -> None:
        nonlocal printed
        async with (
            Client(connect) as client,
            aclosing(
                client.watch_events(
                    chosen_engine(engine, engine_option),
                    since_time_s=since_time_s,
                    follow=follow,
                    min_severity=severity,
                )
            ) as stream,
        ):
            async for message in stream:
                if message.missed and as_json:
                    click.echo(json.dumps({"missed": str(message.missed)}))
                elif message.missed:
                    click.echo(f"gap {message.missed:,} events that the daemon no longer has")
                for event in message.events:
                    if as_json:
                        print_json(event, one_line=True)
                    else:
                        click.echo(event_line(event_from_proto(event)))
                    printed += 1
                    if printed == count:
                        return

    asyncio.run(read())
