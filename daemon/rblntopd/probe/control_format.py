"""The probe's control protocol: fixed-size messages on a SOCK_SEQPACKET unix socket, one answer a question.

Binary and small on purpose: they are read on the engine's own thread, where parsing JSON would cost its
GIL. Versioned as major.minor like the ring file: a minor appends fields, another major is refused by name.
"""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

from rblntopd.probe.ring_format import MAX_GROUPS

MAGIC = b"RBLC"
MAJOR = 1
MINOR = 0

UNCHANGED = 0
"""In a request: leave this limit as it is. 0 is no valid value of any limit."""


class Op(enum.IntEnum):
    """What a request asks for."""

    HELLO = 1
    """Nothing: the answer tells the generation and the step."""
    SET_LIMITS = 2


class Status(enum.IntEnum):
    """Outcome of a request. Everything but OK changed nothing."""

    OK = 0
    INVALID = 1
    """A value outside its range; ``text`` names the field, the value and the range."""
    UNAVAILABLE = 2
    """This engine has no such control; ``text`` says why."""
    DENIED = 3
    MALFORMED = 4


REQUEST = struct.Struct(f"<4sHHIQI{MAX_GROUPS}H64s")
"""magic, major, minor, op, request id, max_num_seqs (0: unchanged), group caps (0: unchanged), caller."""

ANSWER = struct.Struct("<4sHHIQQQ448s")
"""magic, major, minor, status, request id, generation, step, text (UTF-8, NUL padded)."""

TEXT_SIZE = 448
CALLER_SIZE = 64


class Request(NamedTuple):
    """A question to the probe."""

    op: int
    request_id: int
    max_num_seqs: int
    group_caps: tuple[int, ...]
    caller: str


class Answer(NamedTuple):
    """The probe's answer.

    ``generation`` and ``step`` are those at which the request was carried out: a change is in force from
    ``step + 1`` on. ``text`` is the reason of a refusal, or warnings, one a line.
    """

    status: int
    request_id: int
    generation: int
    step: int
    text: str


class ProtocolError(ValueError):
    """A message that is not of this protocol, or of another major version of it."""


def pack_request(request: Request) -> bytes:
    """Encode ``request``; group caps beyond those given are left unchanged."""
    caps = (*request.group_caps, *([UNCHANGED] * (MAX_GROUPS - len(request.group_caps))))
    caller = request.caller.encode()[:CALLER_SIZE]
    return REQUEST.pack(
        MAGIC, MAJOR, MINOR, request.op, request.request_id, request.max_num_seqs, *caps, caller
    )


def unpack_request(data: bytes) -> Request:
    """Decode a request.

    Raises:
        ProtocolError: ``data`` is too short, of another protocol, or of another major version.
    """
    if len(data) < REQUEST.size:
        raise ProtocolError(f"a request has {REQUEST.size} bytes, got {len(data)}")
    fields = REQUEST.unpack_from(data)
    _check(fields[0], fields[1], fields[2])
    caps = fields[6 : 6 + MAX_GROUPS]
    return Request(fields[3], fields[4], fields[5], caps, _text(fields[6 + MAX_GROUPS]))


def pack_answer(answer: Answer) -> bytes:
    """Encode ``answer``; a longer text is cut."""
    text = answer.text.encode()[:TEXT_SIZE]
    return ANSWER.pack(
        MAGIC, MAJOR, MINOR, answer.status, answer.request_id, answer.generation, answer.step, text
    )


def unpack_answer(data: bytes) -> Answer:
    """Decode an answer.

    Raises:
        ProtocolError: ``data`` is too short, of another protocol, or of another major version.
    """
    if len(data) < ANSWER.size:
        raise ProtocolError(f"an answer has {ANSWER.size} bytes, got {len(data)}")
    magic, major, minor, status, request_id, generation, step, text = ANSWER.unpack_from(data)
    _check(magic, major, minor)
    return Answer(status, request_id, generation, step, _text(text))


def _check(magic: bytes, major: int, minor: int) -> None:
    if magic != MAGIC:
        raise ProtocolError(f"not a control message: it starts with {magic!r}")
    if major != MAJOR:
        raise ProtocolError(f"control protocol {major}.{minor}, this side speaks {MAJOR}.{MINOR}")


def _text(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode(errors="replace")
