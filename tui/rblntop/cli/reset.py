"""``rblnctl reset``: back to what the engine was started with."""

from __future__ import annotations

import click

from rblntop.cli import exit_codes
from rblntop.cli.options import (
    chosen_engine,
    connect_option,
    direct_option,
    engine_options,
    json_option,
    reason_option,
    yes_option,
)


@click.command()
@engine_options
@click.option(
    "--detach",
    is_flag=True,
    help="Take the probe out, too: the scheduler gets its own methods back, and the engine is neither "
    "watched nor steered until it is restarted. Asks on a terminal.",
)
@click.option("--dry-run", is_flag=True, help="Say whether it would be done, and do nothing.")
@reason_option
@yes_option
@direct_option
@connect_option
@json_option
def reset(
    engine: str | None,
    engine_option: str | None,
    detach: bool,
    dry_run: bool,
    reason: str,
    yes: bool,
    direct: bool,
    connect: str | None,
    as_json: bool,
) -> int:
    """Put all limits back to what the engine was started with. A change on trial ends with it.

    Admission stays as it is: `rblnctl admission open` opens it.
    """
    import asyncio

    from rblntop.cli.open_client import open_client
    from rblntop.cli.outcome import print_outcome
    from rblntop.cli.terminal import can_ask
    from rblntop_api.v1 import control_pb2

    name = chosen_engine(engine, engine_option)
    if detach and not dry_run and can_ask(yes=yes, as_json=as_json):
        click.echo("The probe leaves the engine: until a restart it can be neither watched nor steered.")
        if not click.confirm("Detach?"):
            click.echo("Nothing was changed.", err=True)
            return exit_codes.FAILED

    async def ask() -> control_pb2.ResetLimitsResponse:
        async with open_client(connect, direct) as client:
            return await client.reset(name, detach=detach, validate_only=dry_run, reason=reason)

    done = "limits are those of the start" + (", and the probe is out" if detach else "")
    print_outcome(asyncio.run(ask()), "would be reset" if dry_run else done, as_json)
    return exit_codes.DONE
