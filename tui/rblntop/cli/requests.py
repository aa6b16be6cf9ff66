"""``rblnctl requests``: the unfinished requests of an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rblntop.cli.options import chosen_engine, connect_option, engine_options, json_option

if TYPE_CHECKING:
    from rblntop.client.telemetry_requests import RequestOrder, RequestStateName


@click.command()
@engine_options
@click.option(
    "--order",
    type=click.Choice(["age", "wait", "prompt-tokens", "output-tokens", "group"]),
    default="age",
    show_default=True,
    help="What comes first: the oldest, who waits longest, the longest prompt or output, group 0.",
)
@click.option(
    "--state",
    "states",
    type=click.Choice(["waiting", "running", "preempted", "held", "remote-kv"]),
    multiple=True,
    help="Only in this state; may be given several times.",
)
@click.option("--group", type=click.IntRange(0, 63), metavar="N", help="Only of this group.")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, metavar="N", help="At most N."
)
@connect_option
@json_option
def requests(
    engine: str | None,
    engine_option: str | None,
    order: RequestOrder,
    states: tuple[RequestStateName, ...],
    group: int | None,
    limit: int,
    connect: str | None,
    as_json: bool,
) -> None:
    """List the unfinished requests of one engine: ids and numbers, never prompts.

    The engine writes them down when it is asked, once a second at most, and 1,000 of them at most.
    """
    import asyncio

    from rblntop.client import Client
    from rblntop_api.v1 import telemetry_pb2

    async def ask() -> telemetry_pb2.ListRequestsResponse:
        async with Client(connect) as client:
            name = chosen_engine(engine, engine_option)
            return await client.list_requests(name, limit=limit, order=order, states=states, group=group)

    answer = asyncio.run(ask())
    if as_json:
        from rblntop.cli.json_output import print_json

        print_json(answer)
        return
    from rblntop.blocks.request_list import request_list
    from rblntop.model.telemetry_from_proto import requests_from_proto

    for line in request_list(requests_from_proto(answer)):
        click.echo(line)
