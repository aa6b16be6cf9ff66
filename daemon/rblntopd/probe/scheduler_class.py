"""A subclass of a scheduler class, made at run time, whose two step methods report to a probe."""

from __future__ import annotations

from typing import Any

from rblntopd.probe import clock
from rblntopd.probe.attach import attach
from rblntopd.probe.plugin import logger, mode
from rblntopd.probe.probe import LOCK_TIMEOUT_S
from rblntopd.probe.step_log import READ_AT

_probed: dict[type, type] = {}


def probed(base: type) -> type:
    """The probed subclass of ``base``; one per class, and it carries the name of ``base`` in logs.

    Raises:
        TypeError: ``base`` lacks a method that every V1 scheduler has.
    """
    if base in _probed.values():
        return base
    if base not in _probed:
        _probed[base] = _subclass(base)
    return _probed[base]


def _subclass(base: Any) -> type:
    for name in ("schedule", "update_from_output", "shutdown"):
        if not callable(getattr(base, name, None)):
            raise TypeError(f"{base.__module__}.{base.__qualname__} has no {name}()")
    base_init, base_schedule = base.__init__, base.schedule
    base_update, base_shutdown = base.update_from_output, base.shutdown
    now = clock.monotonic_ns

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        base_init(self, *args, **kwargs)
        try:
            self._rblntop = attach(self, mode())
        except Exception as error:  # noqa: BLE001 - the engine must start, whatever is wrong with us
            logger.warning("rblntop: the probe is off: %s", error)
            logger.debug("rblntop: why the probe is off", exc_info=True)

    # The signatures are open, because vLLM adds parameters (0.24: schedule(throttle_prefills)), and outputs
    # are passed on untouched: RBLNScheduler.update_from_output asserts the type of what schedule() returned.
    def schedule(self: Any, *args: Any, **kwargs: Any) -> Any:
        probe = self._rblntop
        if probe is None:
            return base_schedule(self, *args, **kwargs)
        if not probe.acquire(True, LOCK_TIMEOUT_S):
            probe.give_up()
            return base_schedule(self, *args, **kwargs)
        try:
            if probe.busy:
                probe.begin()
            started_ns = now()
            output = base_schedule(self, *args, **kwargs)
            try:
                ended_ns = now()
                log = probe.log
                members = output.num_scheduled_tokens
                new = output.scheduled_new_reqs
                cached = output.scheduled_cached_reqs
                resumed = cached.resumed_req_ids
                tokens = output.total_num_scheduled_tokens
                log.append(
                    (
                        id(output), members, new, resumed, cached.req_ids, cached.num_computed_tokens,
                        tokens, output.preempted_req_ids, started_ns, ended_ns,
                        len(self.running), len(self.waiting) + len(probe.second_waiting),
                        self.max_num_running_reqs, self._pause_state,
                    )
                )  # fmt: skip
                if (
                    len(log) >= READ_AT
                    or ended_ns >= probe.due_ns
                    or tokens != len(members)
                    or not members
                    or new
                    or resumed
                ):
                    probe.read_log(ended_ns)
            except Exception as error:  # noqa: BLE001 - the engine goes on, whatever is wrong with us
                probe.fault(error)
            return output
        finally:
            probe.release()

    def update_from_output(self: Any, scheduler_output: Any, *args: Any, **kwargs: Any) -> Any:
        probe = self._rblntop
        if probe is None:
            return base_update(self, scheduler_output, *args, **kwargs)
        arrived_ns = now()
        finished_before = len(self.finished_req_ids)
        result = base_update(self, scheduler_output, *args, **kwargs)
        probe.log.append(
            (
                id(scheduler_output), arrived_ns, len(self.finished_req_ids) - finished_before,
                len(self.running) + len(self.waiting) + len(probe.second_waiting),
            )
        )  # fmt: skip
        return result

    def shutdown(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._rblntop is not None:
            self._rblntop.close()
        return base_shutdown(self, *args, **kwargs)

    methods = {
        "__init__": __init__,
        "schedule": schedule,
        "update_from_output": update_from_output,
        "shutdown": shutdown,
    }
    if hasattr(base, "set_pause_state"):
        methods["set_pause_state"] = _set_pause_state(base.set_pause_state)
    named = {name: getattr(base, name) for name in ("__module__", "__qualname__", "__doc__")}
    return type(base.__name__, (base,), {**named, **methods, "_rblntop": None})


def _set_pause_state(base_set: Any) -> Any:
    """vLLM's /pause and /resume, which must not undo what was closed through us, nor we theirs."""

    def set_pause_state(self: Any, pause_state: Any) -> Any:
        probe = self._rblntop
        if probe is None:
            return base_set(self, pause_state)
        return probe.set_pause_state(pause_state, lambda state: base_set(self, state))

    return set_pause_state
