"""Changes limits the way an operator would: look, preview, ask, change, follow, report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from rblntop.blocks.change_preview import change_preview
from rblntop.blocks.change_report import change_report, waits_for_work, why_waiting
from rblntop.blocks.change_table import change_table
from rblntop.cli import exit_codes
from rblntop.cli.json_output import print_json
from rblntop.cli.settling import follow
from rblntop.client.requests import PHASES, WaitFor
from rblntop.model import ChangePhase, EngineChange, EngineState, Snapshot
from rblntop.model.change_from_proto import change_from_proto
from rblntop.model.from_proto import snapshot_from_proto

if TYPE_CHECKING:
    from rblntop.cli.open_client import AnyClient
    from rblntop_api.v1 import control_pb2

DEFAULT_WAIT_S = 5.0
SETTLE_WAIT_S = 600.0
IDLE_WAIT_S = 0.5
"""An idle engine never calls ``schedule()``: long enough for one that is just about to get a request."""


@dataclass(frozen=True, slots=True)
class AskedChange:
    """What was asked for on the command line."""

    engine: str
    limits: dict[str, Any]
    """Arguments of ``Client.set_limits``."""
    wait: WaitFor
    timeout_s: float | None
    dry_run: bool
    ask: bool
    as_json: bool

    @property
    def several(self) -> bool:
        """Whether it can name more than one engine."""
        return self.engine.startswith("model:") or any(char in self.engine for char in "*?[,")

    @property
    def phase(self) -> ChangePhase:
        """How far the change has to come."""
        return ChangePhase(PHASES[self.wait])


async def change_limits(client: AnyClient, asked: AskedChange) -> int:
    """Make the change, and return the exit code."""
    looked = await _look(client, asked)
    if asked.dry_run or asked.ask:
        if looked.preview is None:
            looked = replace(looked, preview=await _preview(client, asked))
        assert looked.preview is not None
        if asked.dry_run and asked.as_json:
            print_json(looked.preview)
            return exit_codes.DONE
        for message in looked.preview.engines:
            change = change_from_proto(message)
            for line in change_preview(change, looked.before_of(change), asked.limits["ttl_s"]):
                click.echo(line)
        if asked.dry_run:
            return exit_codes.DONE
        if not click.confirm("Make this change?"):
            click.echo("Nothing was changed.", err=True)
            return exit_codes.FAILED
        asked = _pinned(asked, looked.before)
    answer = await _make(client, asked, looked.before)
    return await _report(client, asked, answer, looked)


@dataclass(frozen=True, slots=True)
class Looked:
    """What there was before the change."""

    before: tuple[Snapshot, ...]
    preview: control_pb2.SetLimitsResponse | None = None

    def before_of(self, change: EngineChange) -> Snapshot:
        """The engine of ``change`` as it was; without an instance id it is the only one."""
        for snapshot in self.before:
            if snapshot.engine.instance_id == change.instance_id:
                return snapshot
        return self.before[0]


async def _look(client: AnyClient, asked: AskedChange) -> Looked:
    if not asked.several:
        return Looked((await _snapshot(client, asked.engine),))
    # Only the daemon knows which engines a pattern names: it says so in its verdict.
    preview = await _preview(client, asked)
    before = [await _snapshot(client, message.instance_id) for message in preview.engines]
    return Looked(tuple(before), preview)


async def _preview(client: AnyClient, asked: AskedChange) -> control_pb2.SetLimitsResponse:
    return await client.set_limits(asked.engine, **asked.limits, validate_only=True)


async def _snapshot(client: AnyClient, engine: str) -> Snapshot:
    return snapshot_from_proto(await client.get_snapshot(engine, strip_cells=0))


def _pinned(asked: AskedChange, before: Sequence[Snapshot]) -> AskedChange:
    """What was shown and agreed to is what is done: anything that moved meanwhile refuses the change."""
    if asked.limits["expected_generation"] is not None:
        return asked
    each = {snapshot.engine.instance_id: snapshot.limits.generation for snapshot in before}
    return replace(asked, limits={**asked.limits, "expected_generation": each})


async def _make(
    client: AnyClient, asked: AskedChange, before: Sequence[Snapshot]
) -> control_pb2.SetLimitsResponse:
    # The daemon could wait until it has settled; here somebody may look on.
    shown = asked.wait == "settled" and not asked.as_json
    timeout_s = asked.timeout_s
    if timeout_s is None:
        idle = all(snapshot.engine.state in (EngineState.IDLE, EngineState.STARTING) for snapshot in before)
        timeout_s = IDLE_WAIT_S if idle else SETTLE_WAIT_S if asked.wait == "settled" else DEFAULT_WAIT_S
    return await client.set_limits(
        asked.engine,
        **asked.limits,
        wait_for="in-force" if shown else asked.wait,
        wait_timeout_s=timeout_s,
    )


async def _report(
    client: AnyClient, asked: AskedChange, answer: control_pb2.SetLimitsResponse, looked: Looked
) -> int:
    changes = tuple(change_from_proto(message) for message in answer.engines)
    if asked.as_json:
        print_json(answer)
    else:
        lines = (
            change_table(changes)
            if asked.several
            else change_report(changes[0], looked.before_of(changes[0]).limits, answer.change_id)
        )
        if asked.several and answer.change_id:
            name = answer.change_id
            lines.append(f"On trial. Keep it: rblnctl confirm {name}   Undo it: rblnctl cancel {name}")
        for line in lines:
            click.echo(line)
        for change in changes:
            for warning in change.warnings:
                click.echo(f"warning: {_of(change, asked)}{warning}", err=True)
        if asked.wait == "settled":
            limit_s = asked.timeout_s if asked.timeout_s is not None else SETTLE_WAIT_S
            changes = await follow(client, changes, limit_s)
    return await _exit_code(client, asked, changes)


async def _exit_code(client: AnyClient, asked: AskedChange, changes: Sequence[EngineChange]) -> int:
    code = exit_codes.DONE
    for change in changes:
        if change.phase >= asked.phase:
            continue
        snapshot = await _snapshot(client, change.instance_id or asked.engine)
        stored = waits_for_work(change, snapshot)
        text = f"{_of(change, asked)}{why_waiting(change, snapshot)}"
        click.echo(text, err=not stored or asked.as_json)
        code = code if stored else exit_codes.FAILED
    return code


def _of(change: EngineChange, asked: AskedChange) -> str:
    return f"{change.engine}: " if asked.several else ""
