"""Reads a recording, block by block: what is damaged is left out and told, the rest is there."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from rblntop.recording.block_index import BlockIndex
from rblntop.recording.errors import DamagedBlockError, RecordingError, from_os
from rblntop.recording.file_lock import is_locked
from rblntop.recording.frame import Block, BlockKind, unpack_block
from rblntop.recording.message_block import unpack_messages
from rblntop.recording.step_block import StepRun, unpack_steps
from rblntop_api.v1 import control_pb2, engine_pb2, event_pb2, snapshot_pb2

Content = TypeVar("Content")

MAX_NOTES = 20


class Recording:
    """One open recording. Nothing of it is kept in memory but where its blocks lie."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self._file = file
        self._index = BlockIndex(path, file)
        self._damaged: dict[int, str] = {}
        """Blocks whose content cannot be read, by where they lie."""
        self._index.scan()

    @classmethod
    def open(cls, path: Path | str) -> Recording:
        """Open the recording at ``path``.

        Raises:
            RecordingError: it is not there, no recording, or of a format that is not read here.
        """
        path = Path(path)
        try:
            # O_NONBLOCK: opening a FIFO must not wait for its other end.
            file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        except OSError as error:
            raise from_os(path, error) from error
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise RecordingError(path, "is not a regular file")
            return cls(path, file)
        except OSError as error:
            os.close(file)
            raise from_os(path, error) from error
        except BaseException:
            os.close(file)
            raise

    def __enter__(self) -> Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. Closing twice is allowed."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    @property
    def growing(self) -> bool:
        """Somebody is still writing it."""
        return is_locked(self._file)

    @property
    def notes(self) -> list[str]:
        """What could not be read, in sentences for the reader; more comes to light while it is read."""
        found = [f"{self.path}: {text}" for text in (*self._index.damaged, *self._damaged.values())]
        if self._index.unread and not self.growing:
            found.append(
                f"{self.path}: its end is cut off: the last {self._index.unread:,} bytes are left out"
            )
        more = len(found) - MAX_NOTES
        return [*found[:MAX_NOTES], f"{self.path}: {more:,} more parts are damaged"] if more > 0 else found

    def refresh(self) -> bool:
        """Look for blocks that were written since; true if there are any.

        Raises:
            RecordingError: the file became shorter.
        """
        try:
            return self._index.scan()
        except OSError as error:
            raise from_os(self.path, error) from error

    def blocks(self, *kinds: BlockKind) -> Iterator[Block]:
        """The blocks of these kinds, in the order in which they were written."""
        return (block for block in self._index.blocks if block.kind in kinds)

    def snapshots_of(self, block: Block) -> Sequence[snapshot_pb2.Snapshot]:
        """The snapshots of a block; none if it is damaged."""
        return self._read(block, lambda raw: unpack_messages(raw, snapshot_pb2.Snapshot)) or ()

    def latest_snapshot(self) -> snapshot_pb2.Snapshot | None:
        """The last one that can be read."""
        for block in reversed(list(self.blocks(BlockKind.SNAPSHOTS))):
            if found := self.snapshots_of(block):
                return found[-1]
        return None

    def engine(self) -> engine_pb2.Engine | None:
        """The engine, as it was recorded last."""
        found = None
        for block in self.blocks(BlockKind.ENGINE):
            found = self._engine(block) or found
        return found

    def steps(self) -> Iterator[StepRun]:
        """All steps in order, in runs: each knows its engine, and how many are missing before it."""
        engine: engine_pb2.Engine | None = None
        next_sequence: int | None = None
        for block in self.blocks(BlockKind.ENGINE, BlockKind.STEPS):
            if block.kind == BlockKind.ENGINE:
                found = self._engine(block)
                if found is not None and engine is not None and found.instance_id != engine.instance_id:
                    next_sequence = None
                engine = found or engine
                continue
            run = self._read(block, unpack_steps)
            if run is None:
                continue
            first = run.steps[0].sequence
            # A block that was left out shows in the numbers of the next.
            between = max(0, first - next_sequence) if next_sequence is not None else 0
            next_sequence = run.steps[-1].sequence + 1
            yield replace(run, missed=max(run.missed, between), engine=engine)

    def changes(self) -> list[control_pb2.Change]:
        """Changes of limits, each once, oldest first."""
        found: dict[bytes, control_pb2.Change] = {}
        for block in self.blocks(BlockKind.CHANGES):
            for change in self._read(block, lambda raw: unpack_messages(raw, control_pb2.Change)) or ():
                found[change.SerializeToString(deterministic=True)] = change
        return sorted(found.values(), key=lambda change: change.time.ToNanoseconds())

    def events(self) -> list[event_pb2.Event]:
        """What happened to the engine, oldest first."""
        return [
            event
            for block in self.blocks(BlockKind.EVENTS)
            for event in self._read(block, lambda raw: unpack_messages(raw, event_pb2.Event)) or ()
        ]

    def marks(self) -> list[tuple[int, dict[str, Any]]]:
        """What happened to the recording itself: wall clock in ns, and what was noted."""
        read = ((block, self._read(block, _json)) for block in self.blocks(BlockKind.MARK, BlockKind.SESSION))
        return [(block.first_ns, found) for block, found in read if found is not None]

    def _engine(self, block: Block) -> engine_pb2.Engine | None:
        found = self._read(block, lambda raw: unpack_messages(raw, engine_pb2.Engine))
        return found[0] if found else None

    def _read(self, block: Block, parse: Callable[[bytes], Content]) -> Content | None:
        try:
            return parse(unpack_block(block, os.pread(self._file, block.stored, block.offset)))
        except OSError as error:
            raise from_os(self.path, error) from error
        except DamagedBlockError as error:
            self._damaged[block.offset] = f"the block at byte {block.offset:,} is left out: {error}"
            return None


def _json(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise DamagedBlockError("it is not JSON") from error
    if not isinstance(found, dict):
        raise DamagedBlockError("it is not a JSON object")
    return found
