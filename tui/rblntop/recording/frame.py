"""The frame of a recording: a file header, then blocks that each say what they hold and can be checked alone.

Every length is checked against the file and against a bound before a byte is read or made on its word: a
recording may come from anywhere.
"""

from __future__ import annotations

import enum
import struct
import zlib
from typing import NamedTuple

from rblntop.recording.errors import DamagedBlockError

MAGIC = b"RBLNREC\n"
MAJOR = 1
MINOR = 0

FILE_HEADER = struct.Struct("<8sHHI")
"""magic, major, minor, size of the header. A minor version may make the header longer, add kinds of blocks
and append to what blocks hold; a reader skips what it does not know."""
MAX_FILE_HEADER = 4096

MARKER = b"RBLK"
BLOCK_HEADER = struct.Struct("<4sBBHIIIqqI")
"""marker; kind, compression, items; bytes in the file, bytes when unpacked, CRC-32 of the bytes in the file;
wall clock of the first and the last item in ns; CRC-32 of this header up to here."""

#: What one block may unpack to. Far more than seconds of any engine need.
MAX_UNPACKED = 1 << 20
#: What ``zlib`` may add to data that it cannot make smaller.
MAX_STORED = MAX_UNPACKED + (MAX_UNPACKED >> 10) + 64
#: A recording of months. Each block costs a reader some memory.
MAX_BLOCKS = 1_000_000

STORED, ZLIB = 0, 1
LEVEL = 6


class BlockKind(enum.IntEnum):
    """What a block holds."""

    SESSION = 1
    """JSON: who records, since when. Begins each run of ``record``."""
    ENGINE = 2
    """Engines, length-delimited messages: what the engine is from here on."""
    SNAPSHOTS = 3
    """Snapshots, length-delimited messages."""
    STEPS = 4
    """Steps in columns."""
    CHANGES = 5
    """Changes of limits, length-delimited messages."""
    MARK = 6
    """JSON: something that happened to the recording itself, such as the daemon going away."""
    EVENTS = 7
    """What happened to the engine, length-delimited messages."""


class Block(NamedTuple):
    """Where a block lies, and what its header says of it."""

    kind: int
    items: int
    offset: int
    """Of the packed bytes in the file."""
    stored: int
    unpacked: int
    crc: int
    compression: int
    first_ns: int
    last_ns: int

    @property
    def end(self) -> int:
        """Of the block in the file."""
        return self.offset + self.stored


def file_header() -> bytes:
    """What a recording begins with."""
    return FILE_HEADER.pack(MAGIC, MAJOR, MINOR, FILE_HEADER.size)


def pack_block(kind: BlockKind, content: bytes, *, items: int, first_ns: int, last_ns: int) -> bytes:
    """Header and packed content, ready to be appended."""
    if not 0 < len(content) <= MAX_UNPACKED or not 0 < items < 1 << 16:
        raise ValueError(f"a block of {len(content)} bytes and {items} items")
    packed, compression = zlib.compress(content, LEVEL), ZLIB
    if len(packed) >= len(content):
        packed, compression = content, STORED
    head = BLOCK_HEADER.pack(
        MARKER, kind, compression, items, len(packed), len(content), zlib.crc32(packed), first_ns, last_ns, 0
    )[:-4]
    return head + struct.pack("<I", zlib.crc32(head)) + packed


def block_at(raw: bytes, offset: int) -> Block:
    """The block whose header is ``raw``, at ``offset`` in the file.

    Raises:
        DamagedBlockError: it is no block's header, or its lengths are impossible.
    """
    if len(raw) < BLOCK_HEADER.size:
        raise DamagedBlockError(f"its header ends after {len(raw)} of {BLOCK_HEADER.size} bytes")
    marker, kind, compression, items, stored, unpacked, crc, first_ns, last_ns, head_crc = (
        BLOCK_HEADER.unpack(raw)
    )
    if marker != MARKER or head_crc != zlib.crc32(raw[: BLOCK_HEADER.size - 4]):
        raise DamagedBlockError("its header is damaged")
    if not 0 < stored <= MAX_STORED or not 0 < unpacked <= MAX_UNPACKED:
        raise DamagedBlockError(
            f"it says {stored:,} bytes that unpack to {unpacked:,}; at most {MAX_UNPACKED:,} are allowed"
        )
    return Block(
        kind, items, offset + BLOCK_HEADER.size, stored, unpacked, crc, compression, first_ns, last_ns
    )


def unpack_block(block: Block, packed: bytes) -> bytes:
    """The content of a block, exactly as long as its header says, whatever is in it.

    Raises:
        DamagedBlockError: checksum or length is not as the header says.
    """
    if len(packed) != block.stored:
        raise DamagedBlockError(f"it ends after {len(packed)} of {block.stored} bytes")
    if zlib.crc32(packed) != block.crc:
        raise DamagedBlockError("its checksum is wrong")
    if block.compression == STORED:
        content = packed
    elif block.compression == ZLIB:
        unpacker = zlib.decompressobj()
        try:
            # One more than allowed: a bomb is noticed without being made.
            content = unpacker.decompress(packed, block.unpacked + 1)
        except zlib.error as error:
            raise DamagedBlockError(f"it does not unpack: {error}") from error
        if len(content) <= block.unpacked and not unpacker.eof:
            raise DamagedBlockError("it does not unpack: its end is missing")
    else:
        raise DamagedBlockError(f"it is packed in a way ({block.compression}) that is not known here")
    if len(content) != block.unpacked:
        raise DamagedBlockError(f"it does not unpack to the {block.unpacked:,} bytes that it says")
    return content
