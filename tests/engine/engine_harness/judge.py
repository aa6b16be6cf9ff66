"""Judges every single step of an engine whose limits change, by what design promises of each."""

from __future__ import annotations

from typing import Any

from engine_harness.engine_in_process import EngineInProcess
from engine_harness.observer import SeenStep
from rblntopd.probe.ring_format import Kind


class Judge:
    """Watches ``schedule()`` around probe and observer, and raises at the first broken promise."""

    def __init__(self, engine: EngineInProcess, *, rbln: bool) -> None:
        self.engine = engine
        self.rbln = rbln
        self.steps = self.held_steps = self.capped_steps = self.drained_steps = 0
        self.longest_wait = 0
        """Most decode turns that any request was runnable and left out, one after the other."""
        self._waits: dict[str, tuple[int, int]] = {}
        """Decode turns and moves that there had been when a runnable request was first left out."""
        self._turns = self._moves = 0
        """A move: a prefill ran, the set of running requests changed, or a group gave excess back."""
        self._generation = 0
        self._ran: set[str] = set()
        self._excess: tuple[int, list[int]] = (-1, [])
        scheduler: Any = engine.scheduler
        self._scheduler = scheduler
        self._schedule = scheduler.schedule
        scheduler.schedule = self._judged

    @property
    def probe(self) -> Any:
        probe = self._scheduler._rblntop
        assert probe is not None, "the probe switched itself off"
        return probe

    def _judged(self, *args: Any, **kwargs: Any) -> Any:
        scheduler = self._scheduler
        before = [request.request_id for request in scheduler.running]
        output = self._schedule(*args, **kwargs)
        after = [request.request_id for request in scheduler.running]
        changes = self.probe.changes
        state = changes.enforcement.state
        seen = self.engine.observer.scheduled[-1]
        self.steps += 1
        stayed = set(after) & set(before)
        assert [key for key in before if key in stayed] == [key for key in after if key in stayed], "order"
        admitted = set(after) - set(before)
        admission = state.admission
        if admitted:
            assert not changes.admission.closed, "admitted while closed"
            assert len(after) <= admission, f"admitted up to {len(after)}, admission is {admission}"
        assert len(after) <= max(admission, len(before)), "running grew above what drains"
        assert state.in_force_step or not state.generation, "a step ran, and the change is not in force"
        assert all(request.next_decode_eligible_step == 0 for request in scheduler.running)
        self._judge_batch(seen, state, admitted)
        fell = self._judge_excess(state, len(before))
        moved = fell or seen.kind == Kind.PREFILL or set(before) != self._ran or bool(admitted)
        self._ran = set(after)
        self._judge_waits(seen, state, before, moved)
        return output

    def _judge_batch(self, seen: SeenStep, state: Any, admitted: set[str]) -> None:
        if self.rbln:
            # Stock vllm-rbln mixes where a request was preempted in flight and resumed before the token of
            # that batch arrived: it then has two tokens left in the middle of the running list.
            prefills = set(seen.request_ids) - set(seen.decoding)
            assert seen.kind != Kind.MIXED or prefills <= self.engine.observer.preemptions.keys()
            assert len(seen.decoding) <= self.engine.largest_bucket
        # Who is admitted counts as a prefill, also where all but its last token was cached.
        decodes = [key for key in seen.decoding if key not in admitted]
        if decodes and state.caps_set:
            self.capped_steps += 1
            cap = state.cap_values[seen.group] + (0 if state.targets.hold else state.excess[seen.group])
            assert len(decodes) <= cap, f"{len(decodes)} decodes in group {seen.group}, cap {cap}"
        self.held_steps += state.targets.hold and bool(seen.unscheduled_decodes)
        self.drained_steps += len(self._scheduler.running) > state.admission

    def _judge_waits(self, seen: SeenStep, state: Any, running: list[str], moved: bool) -> None:
        """Nobody waits for longer than docs/limits.md says, in decode turns while runnable."""
        if self._generation != state.generation:
            self._generation = state.generation
            self._waits.clear()
        self._moves += moved
        if not seen.decoding:
            return
        waits = self._waits
        now = self._turns, self._moves
        self._waits = {key: waits.get(key, now) for key in seen.unscheduled_decodes}
        self._turns += 1
        holding = state.targets.hold and len(running) > sum(state.cap_values)
        for since, moves in self._waits.values():
            waited = self._turns - since
            self.longest_wait = max(self.longest_wait, waited)
            bound = (self.engine.pp - 1) * (1 + self._moves - moves)
            if holding:
                bound = max(bound, -(-len(running) // min(state.cap_values)))
            assert waited <= bound, f"waited {waited} decode turns, bound {bound}, {running=}"

    def _judge_excess(self, state: Any, running: int) -> bool:
        """Whether a group's excess fell."""
        generation, before = self._excess
        now = list(state.excess)
        self._excess = (state.generation, now)
        if state.caps_set and not state.targets.hold:
            assert sum(now) <= max(0, running - sum(state.cap_values))
        if generation != state.generation:
            return False
        assert all(now <= then for now, then in zip(now, before, strict=True)), "excess grew"
        return now != before
