"""Who we are, for the audit log.

gRPC cannot tell who is at the other end of a unix socket. A plain socket beside it can, and gives out tokens.
"""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass

from rblntop.client.address import Address

METADATA_KEY = "rblntop-identity"
TIMEOUT_S = 1.0
"""The daemon answers in well under a millisecond; a call must not hang on one that is stopped."""
MAX_ANSWER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Identity:
    """What the daemon found out about us."""

    token: str
    uid: int
    user: str
    expires_s: float


def ask_identity(address: Address, timeout_s: float = TIMEOUT_S) -> Identity | None:
    """A fresh token of the daemon at ``address``; None where it gives out none: over TCP, or an older one.

    A call without a token is carried out and logged as unverified, so nothing here is an error.
    """
    path = address.identity_socket
    if path is None:
        return None
    try:
        return _parsed(_first_line(path, timeout_s))
    except (OSError, ValueError):
        return None


def metadata(identity: Identity | None) -> tuple[tuple[str, str], ...]:
    """What a call carries."""
    return () if identity is None else ((METADATA_KEY, identity.token),)


def _first_line(path: str, timeout_s: float) -> bytes:
    end_s = time.monotonic() + timeout_s
    line = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        connection.connect(path)
        while b"\n" not in line and len(line) < MAX_ANSWER_BYTES:
            connection.settimeout(max(0.001, end_s - time.monotonic()))
            received = connection.recv(MAX_ANSWER_BYTES)
            if not received:
                break
            line += received
    return line.partition(b"\n")[0]


def _parsed(line: bytes) -> Identity | None:
    found = json.loads(line)
    if not isinstance(found, dict):
        return None
    token, uid, user = found.get("token"), found.get("uid"), found.get("user")
    # Metadata values are printable ASCII: anything else would make the call itself fail.
    if not (isinstance(token, str) and token.isascii() and token.isprintable() and token):
        return None
    expires_s = found.get("expires_s")
    return Identity(
        token,
        uid if isinstance(uid, int) else -1,
        user if isinstance(user, str) else "",
        float(expires_s) if isinstance(expires_s, (int, float)) else 0.0,
    )
