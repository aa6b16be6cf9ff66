"""Where log lines go: to the journal where it reads standard error, else to standard error."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping

from rblntopd.server.journal import SOCKET, JournalHandler, priority


class PrefixFormatter(logging.Formatter):
    """Each line with its priority in front (sd-daemon(3)): for a journal that is read only through a pipe."""

    def format(self, record: logging.LogRecord) -> str:
        """The text; a trace has several lines, of one priority."""
        return "\n".join(
            f"<{priority(record.levelno)}>{line}" for line in super().format(record).splitlines()
        )


def log_to(level: str, environ: Mapping[str, str] | None = None) -> None:
    """Log what is of ``level`` or worse. Called again it only changes the level."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(_handler(os.environ if environ is None else environ))
    root.setLevel(level.upper())


def _handler(environ: Mapping[str, str]) -> logging.Handler:
    to_stderr = logging.StreamHandler(sys.stderr)
    if not is_read_by_journal(sys.stderr.fileno(), environ):
        to_stderr.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        return to_stderr
    try:
        return JournalHandler(SOCKET)
    except OSError:
        to_stderr.setFormatter(PrefixFormatter("%(name)s: %(message)s"))
        return to_stderr


def is_read_by_journal(file: int, environ: Mapping[str, str]) -> bool:
    """Whether systemd connected ``file`` to the journal ($JOURNAL_STREAM, systemd.exec(5))."""
    found = os.fstat(file)
    return environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"
