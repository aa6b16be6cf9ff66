"""Brings together what rings and audit log tell of, in the one log of events that clients read."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from rblntopd.audit.log import AuditLog
from rblntopd.audit.log_file import Line
from rblntopd.engines.engine import Engine
from rblntopd.events.engine_watch import EngineWatch
from rblntopd.events.event import Event, EventKind, Severity
from rblntopd.events.event_log import CAPACITY, EventLog
from rblntopd.events.from_audit import event_of
from rblntopd.probe import __version__

logger = logging.getLogger(__name__)


class Happenings:
    """What happens, from the daemon's start on, and what the rings and the audit log say of before."""

    def __init__(self) -> None:
        self.events = EventLog()
        self._watch = EngineWatch()

    async def begin(self, audit: AuditLog, engines: Sequence[Engine]) -> None:
        """Learn what was before, and say that the daemon has started; from then on follow the audit log."""
        past = self._watch.look(engines, time.monotonic_ns(), time.time_ns())
        try:
            lines = await audit.changes(lambda line: True, CAPACITY, "")
        except OSError as error:
            logger.warning("events of before this start are missing: %s", error)
            lines = []
        self.events.restore(past + _events(lines))
        now_ns = time.time_ns()
        self.events.add(
            Event(
                EventKind.DAEMON_STARTED,
                Severity.INFO,
                now_ns,
                f"rblntopd {__version__} started",
                daemon_version=__version__,
            ),
            now_ns,
        )
        audit.when_written = self._take

    def look(self, engines: Sequence[Engine]) -> None:
        """Look at the engines again. To be called after they were refreshed."""
        wall_ns = time.time_ns()
        for event in self._watch.look(engines, time.monotonic_ns(), wall_ns):
            self.events.add(event, wall_ns)

    def _take(self, lines: Sequence[Line]) -> None:
        """The audit log has new lines."""
        for event in _events(lines):
            self.events.add(event, time.time_ns())
            self._watch.accepted(event.instance_id, event.generation)


def _events(lines: Sequence[Line]) -> list[Event]:
    found = []
    for line in lines:
        try:
            event = event_of(line)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue  # Not a line as a daemon writes it.
        if event is not None:
            found.append(event)
    return found
