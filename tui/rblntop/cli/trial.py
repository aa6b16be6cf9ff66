"""``rblnctl confirm`` and ``rblnctl cancel``: keep or undo a change on trial."""

from __future__ import annotations

import click

from rblntop.cli.duration_type import Duration
from rblntop.cli.options import connect_option, direct_option, json_option, reason_option

engine_option = click.option(
    "--engine",
    default="",
    metavar="NAME",
    help="Name, instance id or pattern. Default: every engine where the change is on trial.",
)


@click.command()
@click.argument("change_id", metavar="ID")
@click.option("--extend", type=Duration(), help="Do not keep it yet: give it so much time from now on.")
@engine_option
@reason_option
@direct_option
@connect_option
@json_option
def confirm(
    change_id: str,
    extend: float | None,
    engine: str,
    reason: str,
    direct: bool,
    connect: str | None,
    as_json: bool,
) -> None:
    """Keep the change ID that is on trial; what `rblnctl set --ttl` printed, and `rblnctl show` tells."""
    import asyncio

    from rblntop.cli.open_client import open_client
    from rblntop.cli.outcome import print_outcome
    from rblntop.text.durations import duration
    from rblntop_api.v1 import control_pb2

    async def ask() -> control_pb2.ConfirmChangeResponse:
        async with open_client(connect, direct) as client:
            if extend is None:
                return await client.confirm(change_id, engine=engine, reason=reason)
            return await client.extend(change_id, extend, engine=engine, reason=reason)

    answer = asyncio.run(ask())
    done = (
        f"change {change_id} is kept"
        if extend is None
        else f"change {change_id} stays on trial, for another {duration(extend)}"
    )
    print_outcome(answer, done, as_json)


@click.command()
@click.argument("change_id", metavar="ID")
@engine_option
@reason_option
@direct_option
@connect_option
@json_option
def cancel(
    change_id: str, engine: str, reason: str, direct: bool, connect: str | None, as_json: bool
) -> None:
    """Undo the change ID that is on trial, at once: the limits are again what they were before it."""
    import asyncio

    from rblntop.cli.open_client import open_client
    from rblntop.cli.outcome import print_outcome
    from rblntop_api.v1 import control_pb2

    async def ask() -> control_pb2.CancelChangeResponse:
        async with open_client(connect, direct) as client:
            return await client.cancel(change_id, engine=engine, reason=reason)

    print_outcome(asyncio.run(ask()), f"change {change_id} is undone", as_json)
