"""How a probe ends: by a fault, by a detach, or in a forked child. The engine goes on as it would alone."""

from __future__ import annotations

import os
import weakref
from functools import partial
from typing import TYPE_CHECKING

from rblntopd.probe import rbln_budget
from rblntopd.probe.plugin import logger
from rblntopd.probe.ring_format import Live, ProbeState
from rblntopd.probe.ring_writer import RingWriter

if TYPE_CHECKING:
    from rblntopd.probe.probe import Probe

_attached: weakref.WeakSet[Probe] = weakref.WeakSet()
_detached: list[RingWriter] = []
"""Kept for their locks: the engine lives, and its ring says what became of the probe."""


def remember(probe: Probe) -> None:
    """Have ``probe`` end in children of this process, and its budget stay as long as it needs it."""
    _attached.add(probe)


def switch_off(probe: Probe, error: Exception) -> None:
    """End for good because of a fault of ours, with the engine's own limits given back. Never raises."""
    probe.scheduler._rblntop = None
    probe.closed = True
    text = f"{type(error).__name__}: {error}"
    logger.warning("rblntop: the probe switched itself off: %s", text, exc_info=error)
    for end in (
        partial(probe.changes.give_back, probe.recorder.step),
        _uninstall_unused_budget,
        partial(probe.recorder.ring.set_fault, text),
        probe.hang_up,
    ):
        # Each is owed to the engine, whatever became of the one before.
        try:
            end()
        except Exception:  # noqa: BLE001 - the engine goes on, whatever is wrong with us
            logger.warning("rblntop: and it did not end cleanly", exc_info=True)


def detach(probe: Probe) -> None:
    """Give the scheduler its own methods back, for good. Under the lock, so outside ``schedule()``."""
    scheduler, ring = probe.scheduler, probe.recorder.ring
    probe.closed = True
    # The attribute stays: a method of ours may just have been entered on the engine's thread.
    scheduler._rblntop = None
    scheduler.__class__ = type(scheduler).__mro__[1]
    _uninstall_unused_budget()
    probe.recorder.flush()
    ring.set_live(Live.STATE, ProbeState.DETACHED)
    _detached.append(ring)
    probe.hang_up()
    logger.info("rblntop: detached; the engine has its own limits and methods")


def _uninstall_unused_budget() -> None:
    """Give vllm-rbln its own budget back where no engine of this process has its limits changed."""
    if not any(probe.enforcement.active for probe in list(_attached) if not probe.closed):
        rbln_budget.uninstall()


def _forget_all_in_child() -> None:
    """A fork: the child has neither our thread nor our lock's owner, and must not write our ring."""
    for probe in list(_attached):
        probe.scheduler._rblntop = None
        probe.closed = True
        if probe.server is not None:
            # Else a child that outlives the engine would keep its clients waiting for an answer.
            probe.server.close_in_child()


os.register_at_fork(after_in_child=_forget_all_in_child)
