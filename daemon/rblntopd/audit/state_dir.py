"""Where the daemon keeps what must outlive it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SERVICE_DIR = Path("/var/lib/rblntop")


def state_dir(environ: Mapping[str, str] | None = None) -> Path:
    """``$RBLNTOP_STATE_DIR``, the service's where it is writable, else the user's."""
    env = os.environ if environ is None else environ
    if chosen := env.get("RBLNTOP_STATE_DIR"):
        return Path(chosen)
    if os.access(SERVICE_DIR, os.W_OK | os.X_OK):
        return SERVICE_DIR
    if state := env.get("XDG_STATE_HOME"):
        return Path(state) / "rblntop"
    return Path.home() / ".local" / "state" / "rblntop"
