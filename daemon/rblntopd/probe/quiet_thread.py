"""Serves the probe beside the engine's thread: questions at any time, and a look around while no step runs.

Questions are served here as soon as this thread gets the lock that ``schedule()`` holds. A busy engine thread
can keep it from the GIL, so it also leaves a note, and the engine's thread serves before its next step.
"""

from __future__ import annotations

import threading
import time
import weakref
from typing import TYPE_CHECKING

from rblntopd.probe.control_server import ControlServer
from rblntopd.probe.engine_files import create_ring
from rblntopd.probe.plugin import logger
from rblntopd.probe.runtime_dir import make_engines_dir, runtime_dir

if TYPE_CHECKING:
    from rblntopd.probe.probe import Probe

#: How long to wait for a question before looking around.
LOOK_S = 0.1
#: How often to look whether ring and socket are still there.
RESTORE_S = 0.5
#: Questions are served at most so often, however many come: they hold up the next step.
REST_S = 0.001


def start(probe: Probe) -> None:
    """Start the thread; it ends with the probe, and keeps neither it nor the engine alive."""
    threading.Thread(target=_run, args=(weakref.ref(probe),), name="rblntop-probe", daemon=True).start()


def _run(reference: weakref.ref[Probe]) -> None:
    looked_s = restored_s = 0.0
    while True:
        probe = reference()
        if probe is None or probe.closed:
            return
        server = probe.server
        del probe
        asked = False
        if server is None:
            time.sleep(LOOK_S)
        else:
            try:
                asked = server.ready(LOOK_S)
            except (OSError, ValueError):
                # It was closed under us: the probe ended, or made another.
                time.sleep(LOOK_S)
        probe = reference()
        if probe is None or probe.closed:
            return
        if asked:
            probe.ask()
            probe.serve()
            time.sleep(REST_S)
        if time.monotonic() - looked_s >= LOOK_S:
            looked_s = time.monotonic()
            probe.look()
        if time.monotonic() - restored_s >= RESTORE_S:
            restored_s = time.monotonic()
            _restore_files(probe)


def _restore_files(probe: Probe) -> None:
    """Make again what somebody cleaned away, with the sequence numbers going on.

    The file system may be slow: only the swap holds the lock that a step would wait for.
    """
    old, server = probe.recorder.ring, probe.server
    ring = new_server = None
    try:
        if old.vanished:
            make_engines_dir(runtime_dir())
            ring = create_ring(old.path, probe.facts.description, probe.facts.queue_depth, old.head)
        if server is not None and not server.path.exists():
            new_server = ControlServer.create(server.path)
    except OSError as error:
        # The limits in force matter more than the records: stay, and try again.
        if not probe.files_missing and not probe.closed:
            logger.warning("rblntop: %s vanished and cannot be made again: %s", old.path, error)
        probe.files_missing = True
    if ring is not None or new_server is not None:
        probe.files_missing = False
        probe.replace_files(ring, new_server)
        logger.warning("rblntop: %s had vanished and was made again", old.path)
