"""Serves the probe while the engine's thread does not: the engine is idle, or stuck on the device.

While steps run, the engine's thread does all of it itself, because a busy engine thread can keep another
thread from the GIL for seconds.
"""

from __future__ import annotations

import threading
import time
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rblntopd.probe.probe import Probe

#: Without a step for so long, this thread takes over.
QUIET_NS = 5_000_000
#: How long it waits for a question before it looks around.
LOOK_S = 0.1
#: How long it leaves a question to an engine thread that is stepping.
YIELD_S = 0.001


def start(probe: Probe) -> None:
    """Start the thread; it ends with the probe, and keeps neither it nor the engine alive."""
    threading.Thread(target=_run, args=(weakref.ref(probe),), name="rblntop-probe", daemon=True).start()


def _run(reference: weakref.ref[Probe]) -> None:
    while True:
        probe = reference()
        if probe is None or probe.closed:
            return
        server = probe.server
        if server is None:
            del probe
            time.sleep(LOOK_S)
            asked = False
        else:
            del probe
            try:
                asked = server.ready(LOOK_S)
            except (OSError, ValueError):
                # It was closed under us: the probe ended, or made another.
                asked = False
        probe = reference()
        if probe is None or probe.closed:
            return
        if time.monotonic_ns() - probe.last_step_ns >= QUIET_NS:
            probe.quiet(asked)
        elif asked:
            del probe
            time.sleep(YIELD_S)
