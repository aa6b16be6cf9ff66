"""``--direct``: the calls of the client, put to the engines themselves when there is no daemon."""

from __future__ import annotations

import asyncio
import os
import pwd
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace
from types import TracebackType

from rblntop.cli.direct_change import as_it_would_be, limits_request, preview
from rblntop.cli.direct_errors import refusal, silence
from rblntop.cli.engine_door import (
    Answer,
    ControlLinkError,
    EngineRing,
    Flag,
    Op,
    Request,
    Status,
    find_rings,
)
from rblntop.cli.ring_messages import engine_message, journal_messages, limits_message, snapshot_message
from rblntop.cli.ring_phases import wait_for_phase
from rblntop.client.errors import EngineNotFoundError, RefusedError
from rblntop.client.requests import GroupCaps, Mode, WaitFor
from rblntop.client.unset import LimitTarget
from rblntop_api.v1 import control_pb2, snapshot_pb2, telemetry_pb2


class DirectClient:
    """Reads rings and asks probes. Methods and answers are those of ``Client``; raises ``RefusedError``."""

    def __init__(self) -> None:
        """Find the engines of the runtime directory."""
        self._found = find_rings()
        self._caller = _caller()

    async def __aenter__(self) -> DirectClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for engine in self._found.engines:
            engine.close()

    async def list_engines(self) -> telemetry_pb2.ListEnginesResponse:
        """The engines that live, and of each other name the latest."""
        latest = {engine.name: engine for engine in self._found.engines}
        living = [engine for engine in self._found.engines if engine.alive]
        names = {engine.name for engine in living}
        listed = [*living, *(engine for name, engine in latest.items() if name not in names)]
        listed.sort(key=lambda engine: (engine.name, engine.instance_id))
        return telemetry_pb2.ListEnginesResponse(engines=[engine_message(engine) for engine in listed])

    async def get_snapshot(
        self, engine: str = "", *, window_seconds: Sequence[int] = (), strip_cells: int = 0
    ) -> snapshot_pb2.Snapshot:
        """One engine now, without figures over windows: they are the daemon's work."""
        return snapshot_message(self._one(engine, living=False))

    async def watch_snapshots(
        self,
        engine: str = "",
        *,
        interval_s: float = 1.0,
        window_seconds: Sequence[int] = (),
        strip_cells: int = 0,
    ) -> AsyncGenerator[telemetry_pb2.WatchSnapshotsResponse, None]:
        """One engine every ``interval_s``."""
        while True:
            yield telemetry_pb2.WatchSnapshotsResponse(snapshots=[await self.get_snapshot(engine)])
            await asyncio.sleep(interval_s)

    async def set_limits(
        self,
        engine: str = "",
        *,
        max_num_seqs: LimitTarget | None = None,
        group_caps: GroupCaps = (),
        mode: Mode | None = None,
        ttl_s: float | None = None,
        validate_only: bool = False,
        expected_generation: int | Mapping[str, int] | None = None,
        reason: str = "",
        change_id: str = "",
        wait_for: WaitFor = "accepted",
        wait_timeout_s: float = 5.0,
    ) -> control_pb2.SetLimitsResponse:
        """Change limits of one engine, as ``Client.set_limits``."""
        chosen = self._one(engine)
        if isinstance(expected_generation, Mapping):
            # There is no other process than the one that was seen: it was opened then.
            expected_generation = expected_generation[chosen.instance_id]
        if ttl_s is not None and not change_id:
            change_id = os.urandom(3).hex()
        now = limits_message(chosen)
        request = limits_request(
            now,
            max_num_seqs=max_num_seqs,
            group_caps=group_caps,
            mode=mode,
            ttl_s=ttl_s,
            validate_only=validate_only,
            expected_generation=expected_generation,
            reason=reason,
            change_id=change_id,
        )
        answer = await self._ask(chosen, request)
        if validate_only:
            change = self._changed(chosen, answer)
            change.limits.CopyFrom(as_it_would_be(now, request))
            change.preview.CopyFrom(preview(snapshot_message(chosen), change.limits))
        else:
            change = await wait_for_phase(chosen, self._changed(chosen, answer), wait_for, wait_timeout_s)
        return control_pb2.SetLimitsResponse(
            change_id=change_id if ttl_s is not None else "", engines=[change]
        )

    async def confirm(
        self, change_id: str, *, engine: str = "", reason: str = ""
    ) -> control_pb2.ConfirmChangeResponse:
        """Keep the change on trial."""
        request = Request(Op.CONFIRM, 0, change_id=change_id, reason=reason)
        return control_pb2.ConfirmChangeResponse(engines=await self._on_trial(request, engine))

    async def extend(
        self, change_id: str, ttl_s: float, *, engine: str = "", reason: str = ""
    ) -> control_pb2.ConfirmChangeResponse:
        """Give the change on trial more time."""
        request = Request(
            Op.EXTEND, 0, change_id=change_id, ttl_ms=max(1, round(ttl_s * 1000)), reason=reason
        )
        return control_pb2.ConfirmChangeResponse(engines=await self._on_trial(request, engine))

    async def cancel(
        self, change_id: str, *, engine: str = "", reason: str = ""
    ) -> control_pb2.CancelChangeResponse:
        """Undo the change on trial."""
        request = Request(Op.CANCEL, 0, change_id=change_id, reason=reason)
        return control_pb2.CancelChangeResponse(engines=await self._on_trial(request, engine))

    async def reset(
        self, engine: str = "", *, detach: bool = False, validate_only: bool = False, reason: str = ""
    ) -> control_pb2.ResetLimitsResponse:
        """Put all limits back."""
        flags = Flag.VALIDATE_ONLY if validate_only else Flag.NONE
        request = Request(Op.DETACH if detach else Op.RESET, 0, flags=flags, reason=reason)
        return control_pb2.ResetLimitsResponse(engines=[await self._on_one(request, engine)])

    async def close_admission(
        self,
        engine: str = "",
        *,
        ttl_s: float | None = None,
        until_opened: bool = False,
        validate_only: bool = False,
        expected_generation: int | None = None,
        reason: str = "",
    ) -> control_pb2.CloseAdmissionResponse:
        """Admit no waiting request any more."""
        flags = Flag.VALIDATE_ONLY if validate_only else Flag.NONE
        if expected_generation is not None:
            flags |= Flag.EXPECT_GENERATION
        request = Request(
            Op.CLOSE_ADMISSION,
            0,
            flags=flags,
            expected_generation=expected_generation or 0,
            ttl_ms=0 if ttl_s is None else max(1, round(ttl_s * 1000)),
            reason=reason,
        )
        return control_pb2.CloseAdmissionResponse(engines=[await self._on_one(request, engine)])

    async def open_admission(
        self, engine: str = "", *, reason: str = ""
    ) -> control_pb2.OpenAdmissionResponse:
        """Admit waiting requests again."""
        request = Request(Op.OPEN_ADMISSION, 0, reason=reason)
        return control_pb2.OpenAdmissionResponse(engines=[await self._on_one(request, engine)])

    async def list_changes(
        self, engine: str = "", *, limit: int = 0, since_s: float | None = None
    ) -> control_pb2.ListChangesResponse:
        """What the engines that are there remember, those that ended included; newest first."""
        engines = [found for found in self._found.engines if engine in ("", found.name, found.instance_id)]
        if engine and not engines:
            raise self._unknown(engine)
        since_ns = 0 if since_s is None else time.time_ns() - round(since_s * 1e9)
        changes = [
            change
            for found in engines
            for change in journal_messages(found)
            if change.time.ToNanoseconds() >= since_ns
        ]
        changes.sort(key=lambda change: change.time.ToNanoseconds(), reverse=True)
        return control_pb2.ListChangesResponse(changes=changes[: limit or 100])

    # --- how --------------------------------------------------------------------------------------------

    async def _on_one(self, request: Request, engine: str) -> control_pb2.EngineChange:
        chosen = self._one(engine)
        return self._changed(chosen, await self._ask(chosen, request))

    async def _on_trial(self, request: Request, engine: str) -> list[control_pb2.EngineChange]:
        """Of a named engine, or of every one where the change is on trial."""
        engines = [self._one(engine)] if engine else self._trying(request.change_id)
        return [self._changed(chosen, await self._ask(chosen, request)) for chosen in engines]

    def _trying(self, change_id: str) -> list[EngineRing]:
        living = [engine for engine in self._found.engines if engine.alive]
        found = [engine for engine in living if limits_message(engine).trial.change_id == change_id]
        # Of a single engine the probe itself says how the trial ended, or which one is pending.
        found = found or (living if len(living) == 1 else [])
        if not found:
            raise RefusedError(
                f"no engine has a change {change_id!r} on trial",
                code="FAILED_PRECONDITION",
                reason="NO_TRIAL",
            )
        return found

    def _one(self, wanted: str, *, living: bool = True) -> EngineRing:
        """The engine of that name or instance id; of an empty name the only one that lives."""
        engines = [engine for engine in self._found.engines if engine.alive]
        if not living and not engines:
            engines = list(self._found.engines[-1:])
        found = [engine for engine in engines if wanted in ("", engine.name, engine.instance_id)]
        if not living and not found:
            found = [e for e in self._found.engines if wanted in (e.name, e.instance_id)][-1:]
        if len(found) != 1:
            raise self._unknown(wanted, several=len(found) > 1)
        return found[0]

    def _unknown(self, wanted: str, *, several: bool = False) -> RefusedError:
        names = sorted({engine.name for engine in self._found.engines if engine.alive})
        where = f"in {self._found.runtime}"
        if several:
            text = f"several engines run {where}, name one of: {', '.join(names)}"
            return RefusedError(text, code="INVALID_ARGUMENT", reason="ENGINE_AMBIGUOUS")
        text = f"there is no engine {wanted!r} {where}" if wanted else f"no engine runs {where}"
        text += f", there are: {', '.join(names)}" if names and wanted else ""
        if any(char in wanted for char in "*?[") or wanted.startswith("model:"):
            text += " (--direct takes one engine, not a pattern)"
        lines = [text, *(f"skipped {problem}" for problem in self._found.problems)]
        if not names:
            lines.append("Engines of another directory: set RBLNTOP_RUNTIME_DIR as the engine has it.")
        return EngineNotFoundError("\n".join(lines), code="NOT_FOUND", reason="ENGINE_NOT_FOUND")

    async def _ask(self, engine: EngineRing, request: Request) -> Answer:
        try:
            answer = await engine.ask(replace(request, caller=self._caller))
        except ControlLinkError as error:
            raise silence(engine, error) from error
        if answer.status != Status.OK:
            raise refusal(engine, answer, limits_message(engine))
        return answer

    def _changed(self, engine: EngineRing, answer: Answer) -> control_pb2.EngineChange:
        return control_pb2.EngineChange(
            engine=engine.name,
            instance_id=engine.instance_id,
            generation=answer.generation,
            phase=control_pb2.CHANGE_PHASE_ACCEPTED,
            limits=limits_message(engine),
            warnings=[line for line in answer.text.splitlines() if line],
        )


def _caller() -> str:
    """Who we say we are: the probe checks that we may ask, and its journal takes our word for the name."""
    uid = os.getuid()
    try:
        return f"uid {uid} ({pwd.getpwuid(uid).pw_name}), direct"
    except KeyError:
        return f"uid {uid}, direct"
