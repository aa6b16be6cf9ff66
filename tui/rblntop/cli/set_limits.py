"""``rblnctl set``: change limits of a running engine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from rblntop.cli import exit_codes
from rblntop.cli.options import Seconds, chosen_engine, connect_option, engine_options, json_option

if TYPE_CHECKING:
    from rblntop_api.v1 import control_pb2, snapshot_pb2

DEFAULT_WAIT_S = 5.0
IDLE_WAIT_S = 0.5
"""An idle engine never calls ``schedule()``: long enough for one that is just about to get a request."""


class GroupCap(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """``G=N``."""

    name = "G=N"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Group and cap."""
        if isinstance(value, tuple):
            return value
        value = str(value)
        group, equals, cap = value.partition("=")
        if not (equals and value.isascii() and group.isdecimal() and cap.isdecimal()):
            self.fail(f"{value!r} is not GROUP=N, such as 0=4", param, ctx)
        return int(group), int(cap)


@click.command("set")
@engine_options
@click.option(
    "--max-num-seqs", type=int, multiple=True, metavar="N", help="Largest number of running requests."
)
@click.option(
    "--group-cap",
    "group_caps",
    type=GroupCap(),
    multiple=True,
    help="Largest decode batch N of group G. May be given several times.",
)
@click.option(
    "--wait",
    type=click.Choice(["accepted", "in-force", "settled"]),
    default="in-force",
    show_default=True,
    help="Return when the change is stored, when the scheduler runs under it, or when running <= target.",
)
@click.option(
    "--timeout",
    type=Seconds(0.0, 3600.0),
    metavar="SECONDS",
    help=f"How long to wait for that. Default: {DEFAULT_WAIT_S:g}.",
)
@connect_option
@json_option
def set_limits(
    engine: str | None,
    engine_option: str | None,
    max_num_seqs: tuple[int, ...],
    group_caps: tuple[tuple[int, int], ...],
    wait: str,
    timeout: float | None,
    connect: str | None,
    as_json: bool,
) -> int:
    """Change limits of a running engine, together or not at all.

    Running requests are never preempted: a lower limit drains.
    """
    import asyncio

    name = chosen_engine(engine, engine_option)
    if not max_num_seqs and not group_caps:
        raise click.UsageError("Nothing to set: give --max-num-seqs N or --group-cap G=N.")
    if len(max_num_seqs) > 1:
        raise click.UsageError("--max-num-seqs is given twice.")
    seqs = max_num_seqs[0] if max_num_seqs else None
    if seqs is not None and not 0 <= seqs < 2**32:
        raise click.UsageError(f"--max-num-seqs {seqs}: not a number of requests.")
    groups = [group for group, _ in group_caps]
    if len(set(groups)) < len(groups):
        raise click.UsageError("--group-cap names a group twice.")
    if any(not 0 <= number < 2**32 for pair in group_caps for number in pair):
        raise click.UsageError("--group-cap: a number is too large.")
    before, answer, after = asyncio.run(_change(connect, name, seqs, group_caps, wait, timeout))
    return _report(before, answer, after, wait, as_json)


async def _change(
    connect: str | None,
    engine: str,
    max_num_seqs: int | None,
    group_caps: tuple[tuple[int, int], ...],
    wait: str,
    timeout: float | None,
) -> tuple[snapshot_pb2.Snapshot, control_pb2.EngineChange, snapshot_pb2.Snapshot]:
    from rblntop.client import Client, RefusedError
    from rblntop_api.v1 import engine_pb2

    async with Client(connect) as client:
        before = await client.get_snapshot(engine, strip_cells=0)
        idle = before.engine.state in (engine_pb2.ENGINE_STATE_IDLE, engine_pb2.ENGINE_STATE_STARTING)
        wait_s = timeout if timeout is not None else IDLE_WAIT_S if idle else DEFAULT_WAIT_S
        try:
            answer = await client.set_limits(
                engine,
                max_num_seqs=max_num_seqs,
                group_caps=group_caps,
                wait_for=wait,  # type: ignore[arg-type]  # click has checked it
                wait_timeout_s=wait_s,
            )
        except RefusedError as error:
            raise click.ClickException(_without_field(error.message)) from error
        after = await client.get_snapshot(engine, strip_cells=0)
        return before, answer.engines[0], after


def _without_field(message: str) -> str:
    """The daemon names the field of the request; who typed options knows the limit."""
    return re.sub(r"^changes\[\d+\]\.(?:value \(([^)]*)\)|(\w+))=", r"\1\2 cannot be ", message)


def _report(
    before: snapshot_pb2.Snapshot,
    answer: control_pb2.EngineChange,
    after: snapshot_pb2.Snapshot,
    wait: str,
    as_json: bool,
) -> int:
    from rblntop.blocks.change_report import change_report
    from rblntop.model import EngineState
    from rblntop.model.from_proto import limits_from_proto, snapshot_from_proto

    reached = answer.phase >= _phase(wait)
    snapshot = snapshot_from_proto(after)
    waits_for_work = (
        not reached
        and not answer.limits.HasField("in_force_step")
        and snapshot.engine.state in (EngineState.IDLE, EngineState.STARTING)
    )
    if as_json:
        from rblntop.cli.json_output import print_json

        print_json(answer)
    report = change_report(
        snapshot,
        generation=answer.generation,
        before=limits_from_proto(before.limits),
        after=limits_from_proto(answer.limits),
        waiting_because=answer.waiting_because,
    )
    if not as_json:
        for line in report.lines:
            click.echo(line)
    for warning in answer.warnings:
        click.echo(f"warning: {warning}", err=True)
    if not reached:
        click.echo(report.why_waiting, err=not waits_for_work or as_json)
    return exit_codes.DONE if reached or waits_for_work else exit_codes.FAILED


def _phase(wait: str) -> control_pb2.ChangePhase:
    from rblntop_api.v1 import control_pb2

    return {
        "accepted": control_pb2.CHANGE_PHASE_ACCEPTED,
        "in-force": control_pb2.CHANGE_PHASE_IN_FORCE,
        "settled": control_pb2.CHANGE_PHASE_SETTLED,
    }[wait]
