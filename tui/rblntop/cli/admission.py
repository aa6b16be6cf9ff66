"""``rblnctl admission``: close and open the admission of waiting requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rblntop.cli import exit_codes
from rblntop.cli.duration_type import Duration
from rblntop.cli.options import (
    chosen_engine,
    connect_option,
    direct_option,
    engine_options,
    expect_generation_option,
    json_option,
    reason_option,
    yes_option,
)

if TYPE_CHECKING:
    from rblntop.cli.open_client import AnyClient
    from rblntop_api.v1 import control_pb2


@click.group()
def admission() -> None:
    """Stop and resume the admission of waiting requests, for maintenance. Running requests finish."""


@admission.command("close", short_help="Admit no waiting request any more.")
@engine_options
@click.option("--for", "ttl", type=Duration(), help="It opens by itself after this time.")
@click.option("--until-opened", is_flag=True, help="It stays closed until `rblnctl admission open`.")
@click.option("--dry-run", is_flag=True, help="Say whether it would be done, and do nothing.")
@expect_generation_option
@reason_option
@yes_option
@direct_option
@connect_option
@json_option
def close(
    engine: str | None,
    engine_option: str | None,
    ttl: float | None,
    until_opened: bool,
    dry_run: bool,
    expect_generation: int | None,
    reason: str,
    yes: bool,
    direct: bool,
    connect: str | None,
    as_json: bool,
) -> int:
    """Admit no waiting request any more: running ones finish, waiting ones wait, new ones queue behind them.

    Give --for or --until-opened, so that nobody leaves an engine closed by mistake. On a terminal it asks;
    with --yes or --json, and in a script, it does not.
    """
    import asyncio

    from rblntop.cli.open_client import open_client
    from rblntop.cli.outcome import print_outcome
    from rblntop.cli.terminal import can_ask
    from rblntop.text.durations import duration

    name = chosen_engine(engine, engine_option)
    if (ttl is None) is not until_opened:
        raise click.UsageError("Until when? Give --for DURATION, such as --for 30m, or --until-opened.")
    until = "until it is opened" if ttl is None else f"for {duration(ttl)}"

    async def ask() -> control_pb2.CloseAdmissionResponse | None:
        async with open_client(connect, direct) as client:
            if not dry_run and can_ask(yes=yes, as_json=as_json) and not await _agreed(client, name, until):
                return None
            return await client.close_admission(
                name,
                ttl_s=ttl,
                until_opened=until_opened,
                validate_only=dry_run,
                expected_generation=expect_generation,
                reason=reason,
            )

    answer = asyncio.run(ask())
    if answer is None:
        click.echo("Nothing was changed.", err=True)
        return exit_codes.FAILED
    done = "admission would be closed" if dry_run else f"admission is closed {until}"
    print_outcome(answer, done, as_json)
    return exit_codes.DONE


@admission.command("open", short_help="Admit waiting requests again.")
@engine_options
@reason_option
@direct_option
@connect_option
@json_option
def open_(
    engine: str | None,
    engine_option: str | None,
    reason: str,
    direct: bool,
    connect: str | None,
    as_json: bool,
) -> None:
    """Admit waiting requests again. A pause that somebody else set (vLLM's /pause) stays theirs to resume."""
    import asyncio

    from rblntop.cli.open_client import open_client
    from rblntop.cli.outcome import print_outcome

    name = chosen_engine(engine, engine_option)

    async def ask() -> control_pb2.OpenAdmissionResponse:
        async with open_client(connect, direct) as client:
            return await client.open_admission(name, reason=reason)

    print_outcome(asyncio.run(ask()), "admission is open", as_json)


async def _agreed(client: AnyClient, engine: str, until: str) -> bool:
    """Show whom it concerns, and ask."""
    verdict = await client.close_admission(engine, until_opened=True, validate_only=True)
    for change in verdict.engines:
        snapshot = await client.get_snapshot(change.instance_id or change.engine, strip_cells=0)
        click.echo(
            f"{change.engine}: {snapshot.running} running requests finish; {snapshot.waiting} waiting ones, "
            f"and all that come, wait {until}"
        )
    return click.confirm("Close?")
