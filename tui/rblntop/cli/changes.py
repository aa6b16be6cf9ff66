"""``rblnctl changes``: the audit log."""

from __future__ import annotations

import click

from rblntop.cli.duration_type import Duration
from rblntop.cli.options import chosen_engine, connect_option, direct_option, engine_options, json_option


@click.command()
@engine_options
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, metavar="N", help="At most N."
)
@click.option("--since", type=Duration(), help="Only those of the last 1h, 7d, ...")
@direct_option
@connect_option
@json_option
def changes(
    engine: str | None,
    engine_option: str | None,
    limit: int,
    since: float | None,
    direct: bool,
    connect: str | None,
    as_json: bool,
) -> None:
    """Show who changed which limit of an engine, or of all, when and why; the newest first.

    What an engine did by itself is in it, too: a trial whose time ran out, a restart. With --direct it is
    what the engines that are there remember; the daemon's log goes back further.
    """
    import asyncio

    from rblntop.cli.open_client import open_client
    from rblntop_api.v1 import control_pb2

    name = chosen_engine(engine, engine_option)

    async def ask() -> control_pb2.ListChangesResponse:
        async with open_client(connect, direct) as client:
            return await client.list_changes(name, limit=limit, since_s=since)

    answer = asyncio.run(ask())
    if as_json:
        from rblntop.cli.json_output import print_json

        print_json(answer)
        return
    from rblntop.blocks.change_log import change_log
    from rblntop.model.change_from_proto import logged_from_proto

    for line in change_log([logged_from_proto(change) for change in answer.changes]):
        click.echo(line)
