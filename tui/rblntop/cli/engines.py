"""``rblnctl engines``: what the daemon sees."""

from __future__ import annotations

import click

from rblntop.cli.options import connect_option, direct_option, json_option


@click.command()
@direct_option
@connect_option
@json_option
def engines(direct: bool, connect: str | None, as_json: bool) -> None:
    """List the engines that the daemon knows."""
    import asyncio

    from rblntop.cli.open_client import open_client
    from rblntop_api.v1 import telemetry_pb2

    async def ask() -> telemetry_pb2.ListEnginesResponse:
        async with open_client(connect, direct) as client:
            return await client.list_engines()

    answer = asyncio.run(ask())
    if as_json:
        from rblntop.cli.json_output import print_json

        print_json(answer)
        return
    from rblntop.blocks.engine_list import engine_list
    from rblntop.model.from_proto import engine_from_proto

    for line in engine_list([engine_from_proto(engine) for engine in answer.engines]):
        click.echo(line)
