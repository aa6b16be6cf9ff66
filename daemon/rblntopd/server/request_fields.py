"""Reads the fields that requests to change something have in common."""

from __future__ import annotations

import secrets

from google.protobuf.duration_pb2 import Duration

from rblntop_api.v1 import control_pb2
from rblntopd.probe.changes import MAX_TTL_MS
from rblntopd.probe.ring_format import ID_SIZE, REASON_SIZE
from rblntopd.server.errors import invalid_field
from rblntopd.server.phases import PHASES, Phase

DEFAULT_TIMEOUT_S = 5.0
MAX_TIMEOUT_S = 3600.0


def reason_text(given: str) -> str:
    """The reason without what a terminal would take for more than text.

    Raises:
        RequestError: it is too long to be kept whole.
    """
    text = "".join(c if c.isprintable() else " " * c.isspace() for c in given).strip()
    size = len(text.encode(errors="replace"))
    if size > REASON_SIZE:
        raise invalid_field("reason", f"({size} bytes)", f"at most {REASON_SIZE} bytes of UTF-8")
    return text


def change_id_text(given: str) -> str:
    """The id of a change; empty if none was given.

    Raises:
        RequestError: it is too long, or nobody could type it.
    """
    size = len(given.encode(errors="replace"))
    if size > ID_SIZE:
        raise invalid_field("change_id", f"({size} bytes)", f"at most {ID_SIZE} bytes of UTF-8")
    if not given.isprintable() or " " in given:
        raise invalid_field("change_id", repr(given), "printable characters without spaces")
    return given


def required_change_id(given: str) -> str:
    """As :func:`change_id_text`, of a request that needs one."""
    if not given:
        raise invalid_field("change_id", "(empty)", "the id of the change on trial")
    return change_id_text(given)


def new_change_id() -> str:
    """An id for a change: short, because people type it."""
    return secrets.token_hex(4)


def ttl_ms(field: str, given: Duration) -> int:
    """A time after which something is undone by itself.

    Raises:
        RequestError: it is out of range.
    """
    found = given.seconds * 1000 + given.nanos // 1_000_000
    if not 1 <= found <= MAX_TTL_MS:
        raise invalid_field(field, f"{found / 1000:g} s", f"1 ms..{MAX_TTL_MS // 86_400_000} days")
    return found


def wanted_phase(asked: int) -> Phase:
    """The phase to wait for.

    Raises:
        RequestError: there is no such phase.
    """
    if asked == control_pb2.CHANGE_PHASE_UNSPECIFIED:
        return Phase.ACCEPTED
    for phase, number in PHASES.items():
        if number == asked:
            return phase
    names = ", ".join(control_pb2.ChangePhase.Name(number) for number in PHASES.values())
    raise invalid_field("wait_for", asked, names)


def wait_timeout_s(given: Duration | None) -> float:
    """How long to wait for a phase; 5 s if nothing is ``given``.

    Raises:
        RequestError: it is out of range.
    """
    if given is None:
        return DEFAULT_TIMEOUT_S
    timeout_s = given.seconds + given.nanos / 1e9
    if not 0 <= timeout_s <= MAX_TIMEOUT_S:
        raise invalid_field("wait_timeout", f"{timeout_s:g} s", f"0 s..{MAX_TIMEOUT_S:g} s")
    return timeout_s
