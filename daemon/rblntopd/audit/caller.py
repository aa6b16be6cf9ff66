"""Who asked for a change, and how that is known."""

from __future__ import annotations

from dataclasses import dataclass

from rblntopd.probe.control_format import cut
from rblntopd.probe.journal import SELF
from rblntopd.probe.ring_format import CALLER_SIZE


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked. The name is what the probe's journal has, so it is cut as that cuts it."""

    name: str
    uid: int | None = None
    verified: bool = False


UNVERIFIED = Caller("operator socket, unverified")
DAEMON = Caller("rblntopd", verified=True)
PROBE = Caller(SELF, verified=True)


def certified(name: str) -> Caller:
    """Whoever holds the certificate of that name."""
    return Caller(cut(f"certificate {name}", CALLER_SIZE).decode(), verified=True)


def user(uid: int, name: str) -> Caller:
    """A user whom the kernel vouches for."""
    known = f"uid {uid} ({name})" if name else f"uid {uid}"
    return Caller(cut(known, CALLER_SIZE).decode(), uid, verified=True)
