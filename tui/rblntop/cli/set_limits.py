"""``rblnctl set``: change limits of a running engine."""

from __future__ import annotations

from typing import Any

import click

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
from rblntop.client.unset import UNSET, LimitTarget, Unset

MAX_UINT32 = 2**32 - 1


def _target(text: str) -> LimitTarget | None:
    """A number, or the word for the start-up value; None: neither."""
    if text.lower() == "none":
        return UNSET
    return int(text) if text.isascii() and text.isdecimal() and int(text) <= MAX_UINT32 else None


class Target(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """``N`` or ``none``."""

    name = "N|none"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> LimitTarget:
        """The number, or ``UNSET``."""
        target = value if isinstance(value, Unset) else _target(str(value))
        if target is None:
            self.fail(f"{value!r} is not a number of requests, nor the word none", param, ctx)
        return target


class GroupCap(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """``G=N`` or ``G=none``."""

    name = "G=N|G=none"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, LimitTarget]:
        """Group and cap."""
        if isinstance(value, tuple):
            return value
        group, equals, cap = str(value).partition("=")
        target = _target(cap)
        if not equals or not isinstance(number := _target(group), int) or target is None:
            self.fail(f"{value!r} is not GROUP=N, such as 0=4, nor GROUP=none", param, ctx)
        return number, target


@click.command("set")
@engine_options
@click.option(
    "--max-num-seqs",
    type=Target(),
    multiple=True,
    metavar="N|none",
    help="Largest number of running requests; none: what the engine was started with.",
)
@click.option(
    "--group-cap",
    "group_caps",
    type=GroupCap(),
    metavar="G=N|G=none",
    multiple=True,
    help="Largest decode batch N of group G; none: no cap. May be given several times.",
)
@click.option(
    "--mode",
    type=click.Choice(["drain", "hold"]),
    help="What running requests beyond lowered group caps do: finish (drain, the default), or take turns "
    "from the next step on (hold).",
)
@click.option(
    "--ttl",
    type=Duration(),
    help="Try it: it is undone by itself so long after it has settled, unless `rblnctl confirm` keeps it. "
    "Without it the change stays.",
)
@click.option("--dry-run", is_flag=True, help="Show what would happen, and change nothing.")
@expect_generation_option
@reason_option
@click.option("--change-id", default="", metavar="ID", help="Name of the trial. Default: one is made.")
@click.option(
    "--wait",
    type=click.Choice(["accepted", "in-force", "settled"]),
    default="in-force",
    show_default=True,
    help="Return when the change is stored, when the scheduler runs under it, or when running <= target; "
    "until then it is shown how the engine drains.",
)
@click.option(
    "--timeout",
    type=Duration(seconds_alone=True, zero=True),
    help="How long to wait for that, in seconds or as 90s, 10m. Default: 5s, for settled 10m. When it is "
    "over the change stays, and the exit code is 1.",
)
@yes_option
@direct_option
@connect_option
@json_option
def set_limits(
    engine: str | None,
    engine_option: str | None,
    max_num_seqs: tuple[LimitTarget, ...],
    group_caps: tuple[tuple[int, LimitTarget], ...],
    mode: str | None,
    ttl: float | None,
    dry_run: bool,
    expect_generation: int | None,
    reason: str,
    change_id: str,
    wait: Any,
    timeout: float | None,
    yes: bool,
    direct: bool,
    connect: str | None,
    as_json: bool,
) -> int:
    """Change limits of a running engine, together or not at all. What is not named stays as it is.

    Running requests are never preempted: a lower limit drains. ENGINE is a name, an instance id, a pattern
    such as 'prod-70b/*', or model:NAME for all ranks of a model: of several engines all are changed, or none.

    On a terminal the command shows what would happen and asks; with --yes it does not. In a script, where
    stdin or stdout is no terminal, and with --json it never asks.
    """
    import asyncio

    from rblntop.cli.change_flow import AskedChange, change_limits
    from rblntop.cli.open_client import open_client
    from rblntop.cli.terminal import can_ask

    name = chosen_engine(engine, engine_option)
    if not max_num_seqs and not group_caps and mode is None:
        raise click.UsageError("Nothing to set: give --max-num-seqs N, --group-cap G=N or --mode.")
    if len(max_num_seqs) > 1:
        raise click.UsageError("--max-num-seqs is given twice.")
    groups = [group for group, _ in group_caps]
    if len(set(groups)) < len(groups):
        raise click.UsageError("--group-cap names a group twice.")
    if change_id and ttl is None:
        raise click.UsageError("--change-id names a trial: give --ttl, too.")
    asked = AskedChange(
        name,
        {
            "max_num_seqs": max_num_seqs[0] if max_num_seqs else None,
            "group_caps": group_caps,
            "mode": mode,
            "ttl_s": ttl,
            "expected_generation": expect_generation,
            "reason": reason,
            "change_id": change_id,
        },
        wait,
        timeout,
        dry_run,
        can_ask(yes=yes, as_json=as_json) and not dry_run,
        as_json,
    )

    async def run() -> int:
        async with open_client(connect, direct) as client:
            return await change_limits(client, asked)

    return asyncio.run(run())
