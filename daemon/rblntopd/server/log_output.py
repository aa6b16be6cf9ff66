"""Where log lines go: standard error, with the journal's priorities where the journal reads it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping

#: sd-daemon(3): a line that starts with <N> has that priority.
_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.DEBUG, 7))


class JournalFormatter(logging.Formatter):
    """One line of the journal an event: it has the time and the unit itself, and wants the priority."""

    def __init__(self) -> None:
        super().__init__("%(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The text with its priority before each line: a trace has several, of one priority."""
        number = next((number for level, number in _PRIORITIES if record.levelno >= level), 7)
        return "\n".join(f"<{number}>{line}" for line in super().format(record).splitlines())


def log_to_stderr(level: str) -> None:
    """Send what is of ``level`` or worse to standard error. Called again it only changes the level."""
    root = logging.getLogger()
    if not root.handlers:
        handler = logging.StreamHandler(sys.stderr)
        if is_read_by_journal(sys.stderr.fileno(), os.environ):
            handler.setFormatter(JournalFormatter())
        else:
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.addHandler(handler)
    root.setLevel(level.upper())


def is_read_by_journal(file: int, environ: Mapping[str, str]) -> bool:
    """Whether systemd connected ``file`` to the journal ($JOURNAL_STREAM, systemd.exec(5))."""
    found = os.fstat(file)
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
