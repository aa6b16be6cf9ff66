"""Looks for RBLN NPUs: their device nodes, and the driver's daemon."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from rblntop.doctor.facts import DeviceFact

DRIVER = ("127.0.0.1", 50051)
TIMEOUT_S = 2.0


def look_at_devices(nodes: Path = Path("/dev"), driver: tuple[str, int] = DRIVER) -> DeviceFact:
    """What there is of them. The driver's daemon is not spoken to: that it takes a connection is enough."""
    found = tuple((str(path), os.access(path, os.R_OK)) for path in sorted(nodes.glob("rbln*")))
    try:
        socket.create_connection(driver, timeout=TIMEOUT_S).close()
        error = ""
    except OSError as failure:
        error = failure.strerror or str(failure)
    return DeviceFact(found, f"{driver[0]}:{driver[1]}", error)
