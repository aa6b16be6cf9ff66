"""Accepts, tries, keeps and undoes changes: all that an operator can ask of the probe of one engine.

One change may be pending, as in gNMI's Commit Confirmed (openconfig/reference, gnmi-commit-confirmed):

==================  ==========================  =======================  =====================
asked for           nothing pending             pending, this id         pending, another id
==================  ==========================  =======================  =====================
a change            accepted                    refused: pending         refused: pending
a trial             accepted, now pending       refused: pending         refused: pending
confirm             refused: nothing pending    kept                     refused: wrong id
cancel              refused: nothing pending    undone                   refused: wrong id
extend              refused: nothing pending    new ttl                  refused: wrong id
reset, detach       done                        done, the trial ends     done, the trial ends
time runs out       --                          undone                   --
==================  ==========================  =======================  =====================

Admission has its own clock, and may be closed and opened at any time: a maintenance must not depend on
whether somebody tries a limit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rblntopd.probe import clock, journal
from rblntopd.probe.admission import UNTIL_OPENED, Admission
from rblntopd.probe.control_format import UNCHANGED, UNSET, UNSET_CAP, Answer, Flag, Op, Request, Status
from rblntopd.probe.enforcement import Enforcement
from rblntopd.probe.limits import UNSET as LIMIT_UNSET
from rblntopd.probe.limits import LimitChange, LimitError, LimitUnavailableError, Targets, Unset
from rblntopd.probe.ring_format import Action, JournalEntry
from rblntopd.probe.trial import Trial

MAX_TTL_MS = 7 * 24 * 3600 * 1000
NS_PER_MS = 1_000_000


class Refused(Exception):  # noqa: N818 - an answer, not an error of ours
    """The request is not carried out, and nothing was changed."""

    def __init__(self, status: Status, text: str) -> None:
        super().__init__(text)
        self.status = status


class Changes:
    """The state machine of one engine's changes. Every method is called under the probe's lock."""

    def __init__(
        self,
        enforcement: Enforcement,
        admission: Admission,
        write: Callable[[JournalEntry], None],
        detach: Callable[[], None],
    ) -> None:
        self.enforcement = enforcement
        self.admission = admission
        self.trial: Trial | None = None
        self._write = write
        self._detach = detach
        self._detaching = False
        self._ended = ""
        """How the latest trial ended, for whoever comes too late."""
        self._now = clock.monotonic_ns
        self._asked: dict[int, Callable[[Request, int], list[str]]] = {
            Op.SET_LIMITS: self._set_limits,
            Op.CONFIRM: self._confirm,
            Op.CANCEL: self._cancel,
            Op.EXTEND: self._extend,
            Op.RESET: self._reset,
            Op.DETACH: self._reset_and_detach,
            Op.CLOSE_ADMISSION: self._close,
            Op.OPEN_ADMISSION: self._open,
        }

    @property
    def timed(self) -> bool:
        """Whether something happens by itself some time."""
        return self.trial is not None or self.admission.until_ns != UNTIL_OPENED

    def handle(self, request: Request, step: int) -> Answer:
        """Carry out one request; ``step`` is the latest."""
        # Whoever asks after a deadline must meet what it left, whichever thread comes first.
        self.tick(step)
        state = self.enforcement.state

        def answer(status: Status, text: str = "") -> Answer:
            return Answer(status, request.request_id, state.generation, step, text)

        if request.op == Op.HELLO:
            return answer(Status.OK)
        if self._detaching:
            # Nobody would be left to enforce, undo or open what is asked for now.
            return answer(Status.REFUSED, "the probe is being detached: it takes no more changes")
        ask = self._asked.get(request.op)
        if ask is None:
            return answer(Status.MALFORMED, f"unknown operation {request.op}: this probe is older than you")
        try:
            if request.flags & Flag.EXPECT_GENERATION and request.expected_generation != state.generation:
                raise Refused(
                    Status.CONFLICT,
                    f"generation is {state.generation}, not {request.expected_generation}: it has moved",
                )
            return answer(Status.OK, "\n".join(ask(request, step)))
        except Refused as refusal:
            return answer(refusal.status, str(refusal))
        except LimitUnavailableError as error:
            return answer(Status.UNAVAILABLE, str(error))
        except LimitError as error:
            return answer(Status.INVALID, str(error))

    def tick(self, step: int) -> bool:
        """Do what is due by now; true if something changed."""
        changed = False
        now_ns = self._now()
        trial = self.trial
        if trial is not None:
            if not trial.settled_ns and self._has_settled():
                trial.settled_ns = now_ns
                changed = True
            if trial.due(now_ns):
                self._undo(trial, Action.REVERT, None, step)
                self._ended = f"change {trial.change_id} was undone when its time had run out"
                changed = True
        if self.admission.due(now_ns):
            self.admission.open()
            self._accepted(Action.REOPEN, None, step, closed_before=True)
            changed = True
        return changed

    def start_with(self, change: LimitChange, step: int) -> list[str]:
        """Limits that the engine is started with, through us.

        Raises:
            LimitError: as :meth:`LimitState.wanted`.
        """
        return self._apply(
            self.enforcement.state.wanted(change),
            Action.START,
            Request(Op.SET_LIMITS, 0, caller="start-up"),
            step,
        )

    def give_back(self, step: int) -> None:
        """The probe ends: the engine gets back what it was started with, admission included."""
        enforcement, state = self.enforcement, self.enforcement.state
        was_closed, before = self.admission.closed, state.targets
        if not enforcement.active and not was_closed:
            return
        self.trial = None
        state.targets = Targets(None, (None,) * state.group_count)
        enforcement.active = enforcement.needs_rows = False
        enforcement.restore()
        self.admission.open()
        self._note(Action.FAULT, None, step, before=before, closed_before=was_closed)

    # --- what can be asked for; each returns warnings --------------------------------------------------

    def _set_limits(self, request: Request, step: int) -> list[str]:
        state = self.enforcement.state
        self._check_ttl(request)
        wanted = state.wanted(_change_of(request))
        if self.trial is not None:
            raise Refused(
                Status.TRIAL_PENDING, f"change {self.trial.change_id} is on trial: keep it or undo it first"
            )
        if request.ttl_ms and not request.change_id:
            raise Refused(Status.INVALID, "change_id=(empty): a trial needs one to be kept or undone by")
        if request.flags & Flag.VALIDATE_ONLY:
            return state.warnings(wanted)
        before = state.targets
        warnings = self._apply(wanted, Action.TRY if request.ttl_ms else Action.SET, request, step)
        if request.ttl_ms:
            self.trial = Trial(
                request.change_id, before, state.generation, request.ttl_ms * NS_PER_MS, self._now()
            )
        return warnings

    def _confirm(self, request: Request, step: int) -> list[str]:
        trial = self._pending(request)
        if not request.flags & Flag.VALIDATE_ONLY:
            self.trial = None
            self._ended = f"change {trial.change_id} was kept"
            self._note(Action.CONFIRM, request, step, change_id=trial.change_id)
        return []

    def _cancel(self, request: Request, step: int) -> list[str]:
        trial = self._pending(request)
        if not request.flags & Flag.VALIDATE_ONLY:
            self._undo(trial, Action.CANCEL, request, step)
            self._ended = f"change {trial.change_id} was undone"
        return []

    def _extend(self, request: Request, step: int) -> list[str]:
        trial = self._pending(request)
        self._check_ttl(request)
        if not request.ttl_ms:
            raise Refused(Status.INVALID, f"ttl=0 ms is not in 1..{MAX_TTL_MS}")
        if not request.flags & Flag.VALIDATE_ONLY:
            trial.extend(request.ttl_ms * NS_PER_MS, self._now())
            self._note(Action.EXTEND, request, step, change_id=trial.change_id)
        return []

    def _reset(self, request: Request, step: int) -> list[str]:
        warnings = []
        if self.admission.closed:
            warnings.append("admission stays closed: open it when it shall be open")
        if request.flags & Flag.VALIDATE_ONLY:
            return warnings
        state = self.enforcement.state
        if self.trial is not None:
            self._ended = f"change {self.trial.change_id} ended with a reset"
            self.trial = None
        elif state.targets == Targets(None, (None,) * state.group_count):
            return [*warnings, "nothing to reset: the limits are those the engine was started with"]
        self._apply(Targets(None, (None,) * state.group_count), Action.RESET, request, step)
        return warnings

    def _reset_and_detach(self, request: Request, step: int) -> list[str]:
        if self.admission.closed:
            raise Refused(Status.REFUSED, "admission is closed: open it first, nobody could later")
        if request.flags & Flag.VALIDATE_ONLY:
            return []
        self._reset(request, step)
        self._note(Action.DETACH, request, step)
        self._detaching = True
        self._detach()
        return []

    def _close(self, request: Request, step: int) -> list[str]:
        admission = self.admission
        if admission.reason:
            raise Refused(Status.UNAVAILABLE, f"admission cannot be closed here: {admission.reason}")
        self._check_ttl(request)
        warnings = []
        if admission.paused_by_others:
            warnings.append("the scheduler is also paused by somebody else (vLLM's /pause)")
        if request.flags & Flag.VALIDATE_ONLY:
            return warnings
        was_closed = admission.closed
        admission.close(self._now() + request.ttl_ms * NS_PER_MS if request.ttl_ms else UNTIL_OPENED)
        self._accepted(Action.CLOSE, request, step, closed_before=was_closed)
        return warnings

    def _open(self, request: Request, step: int) -> list[str]:
        admission = self.admission
        if admission.reason:
            raise Refused(Status.UNAVAILABLE, f"admission cannot be opened here: {admission.reason}")
        if not admission.closed:
            if admission.paused_by_others:
                text = "it is paused by somebody else (vLLM's /pause), who has to resume it"
                raise Refused(Status.REFUSED, f"admission was not closed through rblntop: {text}")
            return ["nothing to open: admission was not closed"]
        if request.flags & Flag.VALIDATE_ONLY:
            return []
        admission.open()
        self._accepted(Action.OPEN, request, step, closed_before=True)
        if admission.paused_by_others:
            return ["the scheduler stays paused by somebody else (vLLM's /pause)"]
        return []

    # --- how ---------------------------------------------------------------------------------------------

    def _pending(self, request: Request) -> Trial:
        trial = self.trial
        if trial is None:
            text = f"; {self._ended}" if self._ended else ""
            raise Refused(Status.NO_TRIAL, f"no change is on trial{text}")
        if request.change_id != trial.change_id:
            raise Refused(
                Status.WRONG_ID,
                f"change_id={request.change_id or '(empty)'}: the change on trial is {trial.change_id}",
            )
        return trial

    def _check_ttl(self, request: Request) -> None:
        if request.ttl_ms > MAX_TTL_MS:
            raise Refused(Status.INVALID, f"ttl={request.ttl_ms} ms is not in 1..{MAX_TTL_MS}")

    def _has_settled(self) -> bool:
        """Whether the change on trial has settled, or no step is to come because nothing runs."""
        state = self.enforcement.state
        return bool(state.settled_step) or not self.enforcement.running

    def _undo(self, trial: Trial, action: Action, request: Request | None, step: int) -> None:
        self.trial = None
        self._apply(trial.before, action, request, step, change_id=trial.change_id)

    def _apply(
        self, targets: Targets, action: Action, request: Request | None, step: int, change_id: str = ""
    ) -> list[str]:
        before = self.enforcement.state.targets
        self.enforcement.accept(targets, step=step, now_ns=self._now())
        self._note(action, request, step, before=before, change_id=change_id)
        return self.enforcement.state.warnings(targets)

    def _accepted(self, action: Action, request: Request | None, step: int, *, closed_before: bool) -> None:
        """Admission was closed or opened."""
        self.enforcement.state.count_change(step, self._now())
        self._note(action, request, step, closed_before=closed_before)

    def _note(
        self,
        action: Action,
        request: Request | None,
        step: int,
        *,
        before: Targets | None = None,
        closed_before: bool | None = None,
        change_id: str = "",
    ) -> None:
        state, closed = self.enforcement.state, self.admission.closed
        self._write(
            journal.entry(
                action,
                request,
                state,
                step,
                before=before or state.targets,
                closed_before=closed if closed_before is None else closed_before,
                closed=closed,
                change_id=change_id,
                ttl_ms=request.ttl_ms if request else 0,
            )
        )


def _change_of(request: Request) -> LimitChange:
    """The limits that a message names."""

    def value(given: int, unset: int) -> int | Unset:
        return LIMIT_UNSET if given == unset else given

    hold: Any = None
    if request.flags & Flag.HOLD:
        hold = True
    elif request.flags & Flag.DRAIN:
        hold = False
    return LimitChange(
        None if request.max_num_seqs == UNCHANGED else value(request.max_num_seqs, UNSET),
        {group: value(cap, UNSET_CAP) for group, cap in enumerate(request.group_caps) if cap != UNCHANGED},
        hold,
    )
