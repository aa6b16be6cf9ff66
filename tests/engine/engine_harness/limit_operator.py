"""An operator who asks for anything, and the model of what the probe must answer.

The model is the table in ``rblntopd.probe.changes`` written down a second time, in the plainest way there is.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from engine_harness.engine_in_process import EngineInProcess
from engine_harness.judge import Judge
from engine_harness.request_load import FIRST_BYTE_TOKEN, PlannedRequest
from rblntopd.probe.control_format import UNSET, UNSET_CAP, Answer, Flag, Op, Request, Status

IDS = ("alpha", "beta")


@dataclass
class Expected:
    """What must be true now."""

    generation: int = 0
    target: int | None = None
    caps: list[int | None] = field(default_factory=list)
    hold: bool = False
    trial: str = ""
    before: tuple[int | None, list[int | None], bool] = (None, [], False)
    closed: bool = False


class LimitOperator:
    """Drives one engine under a load, changes its limits, and knows what must come of it."""

    def __init__(self, engine: EngineInProcess, *, rbln: bool) -> None:
        self.engine, self.rbln = engine, rbln
        self.judge = Judge(engine, rbln=rbln)
        self.state = self.judge.probe.changes.enforcement.state
        self.expected = Expected(caps=[None] * engine.pp)
        self.answers: Counter[str] = Counter()
        self.sent: dict[str, PlannedRequest] = {}

    # --- the load ----------------------------------------------------------------------------------------

    def send(self, chance: random.Random, requests: int, *, prompt_tokens: int = 300) -> None:
        """New requests; one in five repeats an earlier prompt, so that prefixes match, wholly at times."""
        for _ in range(requests):
            if len(self.engine.scheduler.requests) >= 3 * self.state.start:
                return
            length = chance.choice((chance.randint(2, prompt_tokens), 16 * chance.randint(1, 8) + 1))
            prompt = tuple(chance.randrange(FIRST_BYTE_TOKEN, 320) for _ in range(length))
            if self.sent and chance.random() < 0.2:
                prompt = chance.choice(list(self.sent.values())).prompt
            planned = PlannedRequest(
                f"q{len(self.sent)}",
                0,
                prompt,
                chance.choice((chance.randint(1, 20), chance.randint(1, 200))),
            )
            self.sent[planned.request_id] = planned
            self.engine.add(planned)

    def abort(self, chance: random.Random) -> None:
        """One client goes away."""
        if self.engine.scheduler.requests:
            self.engine.abort(chance.choice(sorted(self.engine.scheduler.requests)))

    def run(self, steps: int) -> None:
        """So many turns of the engine's loop, while it has anything to do."""
        for _ in range(steps):
            if not self.engine.busy:
                return
            self.engine.step()

    # --- what an operator can do -------------------------------------------------------------------------

    def set(
        self,
        *,
        max_num_seqs: int = 0,
        caps: tuple[int, ...] = (),
        hold: bool | None = None,
        ttl_ms: int = 0,
        change_id: str = "",
        generation: int | None = None,
        validate_only: bool = False,
    ) -> None:
        """Ask for limits; 0 leaves one as it is, ``UNSET`` and ``UNSET_CAP`` put it back."""
        flags = Flag.NONE if hold is None else Flag.HOLD if hold else Flag.DRAIN
        flags |= Flag.VALIDATE_ONLY if validate_only else Flag.NONE
        flags |= Flag.EXPECT_GENERATION if generation is not None else Flag.NONE
        asked = Request(
            Op.SET_LIMITS, 0, flags, generation or 0, ttl_ms, max_num_seqs, caps, change_id if ttl_ms else ""
        )
        self.see_the_time_pass()
        expected = self._verdict(asked)
        self._ask(asked, expected)
        if expected is not Status.OK or validate_only:
            return
        now = self.expected
        if ttl_ms:
            now.trial, now.before = change_id, (now.target, list(now.caps), now.hold)
        now.generation += 1
        if max_num_seqs:
            now.target = None if max_num_seqs == UNSET else max_num_seqs
        for group, cap in enumerate(caps):
            if cap:
                now.caps[group] = None if cap == UNSET_CAP else cap
        if any(caps) or hold is not None:
            now.hold = bool(hold)
        now.hold = now.hold and any(cap is not None for cap in now.caps)

    def end_trial(self, op: Op, change_id: str, ttl_ms: int = 0) -> None:
        """Confirm, cancel or extend."""
        self.see_the_time_pass()
        now = self.expected
        expected = Status.OK
        if not now.trial:
            expected = Status.NO_TRIAL
        elif now.trial != change_id:
            expected = Status.WRONG_ID
        elif op == Op.EXTEND and not ttl_ms:
            expected = Status.INVALID
        self._ask(Request(op, 0, ttl_ms=ttl_ms, change_id=change_id), expected)
        if expected is Status.OK and op == Op.CANCEL:
            self._revert()
        if expected is Status.OK and op == Op.CONFIRM:
            now.trial = ""

    def reset(self) -> None:
        """Everything back to what the engine was started with."""
        self.see_the_time_pass()
        now = self.expected
        touched = bool(now.trial or now.target is not None or any(now.caps))
        self._ask(Request(Op.RESET, 0), Status.OK)
        now.generation += touched
        now.target, now.caps, now.hold, now.trial = None, [None] * self.engine.pp, False, ""

    def close(self, ttl_ms: int = 0) -> None:
        """Admit no more."""
        self.see_the_time_pass()
        self._ask(Request(Op.CLOSE_ADMISSION, 0, ttl_ms=ttl_ms), Status.OK)
        self.expected.closed = True
        self.expected.generation += 1

    def open(self) -> None:
        """Admit again."""
        self.see_the_time_pass()
        paused = self.judge.probe.changes.admission.paused_by_others
        refused = paused and not self.expected.closed
        self._ask(Request(Op.OPEN_ADMISSION, 0), Status.REFUSED if refused else Status.OK)
        self.expected.generation += self.expected.closed
        self.expected.closed = False

    def pause_as_vllm(self, state: int) -> None:
        """vLLM's own /pause (1: PAUSED_NEW) and /resume (0)."""
        scheduler = self.engine.scheduler
        scheduler.set_pause_state(type(scheduler.pause_state)(state))
        wanted = max(state, 1 if self.judge.probe.changes.admission.closed else 0)
        assert scheduler.pause_state == wanted

    # --- what must come of it ----------------------------------------------------------------------------

    def see_the_time_pass(self) -> None:
        """What the probe did by itself, checked against when it may."""
        self.judge.probe.ask_directly(Request(Op.HELLO, 0))
        changes = self.judge.probe.changes
        now = self.expected
        if now.trial and changes.trial is None:
            self._revert()
        if now.closed and not changes.admission.closed:
            now.closed = False
            now.generation += 1
        state = self.state
        assert (state.generation, state.targets.max_num_seqs) == (now.generation, now.target)
        assert (list(state.targets.caps), state.targets.hold) == (now.caps, now.hold)

    def finish(self) -> None:
        """Open, let everything finish, and check that nothing was lost and the limits have settled."""
        self.pause_as_vllm(0)
        self.open()
        while self.engine.busy:
            self.engine.step()
        self.see_the_time_pass()
        got, aborted = self.engine.output_tokens, self.engine.aborted
        wanted = {key: planned.output_tokens for key, planned in self.sent.items() if key not in aborted}
        assert {key: got[key] for key in wanted} == wanted
        assert self.state.effective(0) == self.state.admission
        if not self.state.changed:
            assert self.engine.scheduler.max_num_running_reqs == self.state.start

    def _revert(self) -> None:
        now = self.expected
        now.target, now.caps, now.hold = now.before
        now.trial = ""
        now.generation += 1

    def _verdict(self, asked: Request) -> Status:
        state, now = self.state, self.expected
        if asked.flags & Flag.EXPECT_GENERATION and asked.expected_generation != now.generation:
            return Status.CONFLICT
        mode = asked.flags & (Flag.HOLD | Flag.DRAIN)
        if not asked.max_num_seqs and not any(asked.group_caps) and not mode:
            return Status.INVALID
        if asked.max_num_seqs not in (0, UNSET) and not state.floor <= asked.max_num_seqs <= state.ceiling:
            return Status.INVALID
        after = list(now.caps)
        for group, cap in enumerate(asked.group_caps):
            if cap and group >= self.engine.pp:
                return Status.INVALID
            if cap not in (0, UNSET_CAP) and cap > state.cap_ceiling:
                return Status.INVALID
            if cap:
                after[group] = None if cap == UNSET_CAP else cap
        if asked.flags & Flag.HOLD and all(cap is None for cap in after):
            return Status.INVALID
        if now.trial:
            return Status.TRIAL_PENDING
        return Status.INVALID if asked.ttl_ms and not asked.change_id else Status.OK

    def _ask(self, request: Request, expected: Status) -> Answer:
        answer: Answer = self.judge.probe.ask_directly(request)
        self.answers[f"{Op(request.op).name} {expected.name}"] += 1
        assert Status(answer.status) is expected, (request, answer)
        assert answer.text or expected is Status.OK
        return answer
