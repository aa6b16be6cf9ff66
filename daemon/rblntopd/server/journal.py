"""Log lines as entries of systemd's journal, each with its priority and fields to search by."""

from __future__ import annotations

import logging
import socket
import struct
from pathlib import Path

SOCKET = Path("/run/systemd/journal/socket")
#: syslog(3) priorities.
_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.DEBUG, 7))
#: A datagram takes some 200 KB; whoever gives such a name to an engine may read the start of it.
MAX_VALUE_BYTES = 16 * 1024


class JournalHandler(logging.Handler):
    """Speaks the journal's own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): an event is one entry.

    A record's ``fields``, given as ``extra={"fields": {...}}``, become fields ``RBLNTOP_...`` of the entry.
    """

    def __init__(self, path: Path = SOCKET) -> None:
        """Connect.

        Raises:
            OSError: there is no journal.
        """
        super().__init__()
        self._lost = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    def emit(self, record: logging.LogRecord) -> None:
        """Send one entry. A journal that takes nothing is not waited for, and told later what it lost."""
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - as every handler: a bad log line must not end what it tells of
            self.handleError(record)
            return
        if self._lost:
            text += f" ({self._lost} lines before this were lost: the journal took none)"
        fields = {"MESSAGE": text, "PRIORITY": str(priority(record.levelno)), "SYSLOG_IDENTIFIER": "rblntopd"}
        fields["LOGGER"] = record.name
        for name, value in getattr(record, "fields", {}).items():
            fields[f"RBLNTOP_{name.upper()}"] = str(value)
        try:
            self._socket.send(b"".join(_field(name, value) for name, value in fields.items()))
        except OSError:
            self._lost += 1
        else:
            self._lost = 0

    def close(self) -> None:
        """Let go of the journal."""
        self._socket.close()
        super().close()


def priority(level: int) -> int:
    """The journal's priority of a level of logging."""
    return next((number for least, number in _PRIORITIES if level >= least), 7)


def _field(name: str, value: str) -> bytes:
    raw = value.encode(errors="replace")[:MAX_VALUE_BYTES]
    if b"\n" not in raw:
        return b"%s=%s\n" % (name.encode(), raw)
    return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(raw)), raw)
