"""The probe's control protocol: fixed-size messages on a SOCK_SEQPACKET unix socket, one answer a question.

Binary and small on purpose: they are read on the engine's own thread, where parsing JSON would cost its
GIL. Versioned as major.minor like the ring file: a minor appends fields, another major is refused by name.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

from rblntopd.probe.ring_format import CALLER_SIZE, ID_SIZE, MAX_GROUPS, REASON_SIZE

MAGIC = b"RBLC"
MAJOR = 1
MINOR = 1

UNCHANGED = 0
"""In a request: leave this limit as it is. 0 is no valid value of any limit."""
UNSET = 0xFFFFFFFF
"""In a request: back to what the engine was started with, as if nobody had set it."""
UNSET_CAP = 0xFFFF


class Op(enum.IntEnum):
    """What a request asks for."""

    HELLO = 1
    """Nothing: the answer tells the generation and the step."""
    SET_LIMITS = 2
    """With a ttl: a trial under the request's id."""
    CONFIRM = 3
    """Keep what the trial with this id changed."""
    CANCEL = 4
    """Undo what the trial with this id changed."""
    EXTEND = 5
    """Give the trial with this id another ttl, from now on."""
    RESET = 6
    """All limits back to what the engine was started with; a trial ends with it."""
    DETACH = 7
    """Reset, then give the scheduler its own methods back, for good."""
    CLOSE_ADMISSION = 8
    """With a ttl: it opens by itself after that time."""
    OPEN_ADMISSION = 9
    LIST_REQUESTS = 10
    """Write the table of requests into the ring; changes nothing. From 1.1 on."""


class Flag(enum.IntFlag):
    """How a request is meant."""

    NONE = 0
    VALIDATE_ONLY = 1
    """Answer as if it were carried out, and change nothing."""
    EXPECT_GENERATION = 2
    """Refuse with CONFLICT unless the generation is the expected one."""
    HOLD = 4
    """Enforce group caps at once, and hold the excess back in turns."""
    DRAIN = 8
    """Let the excess of lowered group caps drain: the default of a change that sets caps."""


class Status(enum.IntEnum):
    """Outcome of a request. Everything but OK changed nothing."""

    OK = 0
    INVALID = 1
    """A value outside its range; ``text`` names the field, the value and the range."""
    UNAVAILABLE = 2
    """This engine has no such control; ``text`` says why."""
    DENIED = 3
    MALFORMED = 4
    CONFLICT = 5
    """The generation is not the expected one; it is in the answer."""
    TRIAL_PENDING = 6
    """A trial has to be kept or undone first."""
    NO_TRIAL = 7
    """Nothing is pending that could be kept or undone."""
    WRONG_ID = 8
    """Another trial is pending."""
    REFUSED = 9
    """Something else stands in the way; ``text`` says what."""


REQUEST = struct.Struct(f"<4sHHIIQQQI4x{MAX_GROUPS}H{ID_SIZE}s{CALLER_SIZE}s{REASON_SIZE}s")
"""magic, major, minor, op, flags, request id, expected generation, ttl ms (0: none), max_num_seqs (0:
unchanged), group caps (0: unchanged), change id, caller, reason."""

ANSWER = struct.Struct("<4sHHIQQQ448s")
"""magic, major, minor, status, request id, generation, step, text (UTF-8, NUL padded)."""

TEXT_SIZE = 448


@dataclass(frozen=True, slots=True)
class Request:
    """A question to the probe."""

    op: int
    request_id: int
    flags: int = Flag.NONE
    expected_generation: int = 0
    ttl_ms: int = 0
    max_num_seqs: int = UNCHANGED
    group_caps: tuple[int, ...] = ()
    change_id: str = ""
    caller: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
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
    """Encode ``request``; group caps beyond those given are left unchanged, long texts are cut."""
    caps = (*request.group_caps, *([UNCHANGED] * (MAX_GROUPS - len(request.group_caps))))
    return REQUEST.pack(
        MAGIC, MAJOR, MINOR, request.op, request.flags, request.request_id, request.expected_generation,
        request.ttl_ms, request.max_num_seqs, *caps, cut(request.change_id, ID_SIZE),
        cut(request.caller, CALLER_SIZE), cut(request.reason, REASON_SIZE),
    )  # fmt: skip


def unpack_request(data: bytes) -> Request:
    """Decode a request.

    Raises:
        ProtocolError: ``data`` is too short, of another protocol, or of another major version.
    """
    if len(data) < REQUEST.size:
        raise ProtocolError(f"a request has {REQUEST.size} bytes, got {len(data)}")
    magic, major, minor, op, flags, request_id, expected, ttl_ms, max_num_seqs, *rest = REQUEST.unpack_from(
        data
    )
    _check(magic, major, minor)
    *caps, change_id, caller, reason = rest
    return Request(
        op, request_id, flags, expected, ttl_ms, max_num_seqs, tuple(caps), text(change_id), text(caller),
        text(reason),
    )  # fmt: skip


def pack_answer(answer: Answer) -> bytes:
    """Encode ``answer``; a longer text is cut."""
    return ANSWER.pack(
        MAGIC, MAJOR, MINOR, answer.status, answer.request_id, answer.generation, answer.step,
        cut(answer.text, TEXT_SIZE),
    )  # fmt: skip


def unpack_answer(data: bytes) -> Answer:
    """Decode an answer.

    Raises:
        ProtocolError: ``data`` is too short, of another protocol, or of another major version.
    """
    if len(data) < ANSWER.size:
        raise ProtocolError(f"an answer has {ANSWER.size} bytes, got {len(data)}")
    magic, major, minor, status, request_id, generation, step, raw = ANSWER.unpack_from(data)
    _check(magic, major, minor)
    return Answer(status, request_id, generation, step, text(raw))


def cut(value: str, size: int) -> bytes:
    """UTF-8 of ``value`` in at most ``size`` bytes, whole characters only."""
    return value.encode(errors="replace")[:size].decode(errors="ignore").encode()


def text(raw: bytes) -> str:
    """What :func:`cut` made, without its padding."""
    return raw.rstrip(b"\0").decode(errors="replace")


def _check(magic: bytes, major: int, minor: int) -> None:
    if magic != MAGIC:
        raise ProtocolError(f"not a control message: it starts with {magic!r}")
    if major != MAJOR:
        raise ProtocolError(f"control protocol {major}.{minor}, this side speaks {MAJOR}.{MINOR}")
