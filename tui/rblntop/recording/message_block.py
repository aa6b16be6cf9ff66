"""Messages one after the other, each with its length before it.

Not as one message with a repeated field: a hostile block of a megabyte would then parse to half a million
empty messages before anybody could count them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from rblntop.recording.errors import DamagedBlockError
from rblntop.recording.frame import MAX_UNPACKED

AnyMessage = TypeVar("AnyMessage", bound=Message)

_LENGTH = struct.Struct("<I")
MAX_MESSAGES = 4096
MAX_MESSAGE = MAX_UNPACKED - _LENGTH.size


def pack_messages(messages: Iterable[bytes]) -> bytes:
    """A block's content, of serialised messages."""
    return b"".join(_LENGTH.pack(len(message)) + message for message in messages)


def packed_size(message: bytes) -> int:
    """Bytes that a message takes in a block."""
    return _LENGTH.size + len(message)


def unpack_messages(content: bytes, kind: type[AnyMessage]) -> Sequence[AnyMessage]:
    """The messages of a block.

    Raises:
        DamagedBlockError: a length is impossible, or a message cannot be parsed.
    """
    found: list[AnyMessage] = []
    at = 0
    while at < len(content):
        if at + _LENGTH.size > len(content):
            raise DamagedBlockError("a length is cut off")
        (size,) = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size
        if size > len(content) - at:
            raise DamagedBlockError(f"a message of {size:,} bytes in {len(content) - at:,}")
        if len(found) == MAX_MESSAGES:
            raise DamagedBlockError(f"more than {MAX_MESSAGES:,} messages")
        try:
            found.append(kind.FromString(content[at : at + size]))
        except DecodeError as error:
            raise DamagedBlockError(f"a {kind.DESCRIPTOR.name} cannot be parsed") from error
        at += size
    return found
