"""Plays the snapshots of a recording: a position, a speed and a time that is told, never a clock."""

from __future__ import annotations

from rblntop.model import Snapshot
from rblntop.model.from_proto import snapshot_from_proto
from rblntop.playback import Playback
from rblntop.recording.errors import RecordingError
from rblntop.recording.frame import Block, BlockKind
from rblntop.recording.reader import Recording

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
GAP_S = 5.0
"""A longer time between two snapshots is a gap: it is told, and played as if it were so long."""
CACHED_BLOCKS = 16
MOST_FRAMES = 10_000
"""In one move: a recording whose clock stands still must not hold the screen up."""

Frame = tuple[int, int]
"""A block of snapshots, and which of them."""


class Player:
    """At one frame of a recording, and on the way to the next."""

    def __init__(self, recording: Recording) -> None:
        """Begin at the first snapshot.

        Raises:
            RecordingError: there is none.
        """
        self.recording = recording
        self.paused = False
        self.speed = 1.0
        self._blocks: list[Block] = []
        self._cache: dict[int, tuple[Snapshot, ...]] = {}
        self._ahead_s = 0.0
        """Played since the present frame."""
        self._gap_s = 0.0
        self.refresh()
        first = self._after((0, -1))
        if first is None:
            raise RecordingError(recording.path, "holds no snapshot that can be read")
        self._frame = first
        self.snapshot = self._at(first)
        """The present frame. Kept, whatever becomes of the file."""

    @property
    def playback(self) -> Playback:
        """Where we are, and how it goes on."""
        began_s, ends_s = self._blocks[0].first_ns / 1e9, self._blocks[-1].last_ns / 1e9
        at_end = self._after(self._frame) is None
        return Playback(
            position_s=max(0.0, self._now_s - began_s),
            length_s=max(0.0, ends_s - began_s),
            speed=self.speed,
            paused=self.paused,
            at_end=at_end,
            growing=at_end and self.recording.growing,
            gap_s=self._gap_s,
        )

    def refresh(self) -> None:
        """Look for what was written since.

        Raises:
            RecordingError: the file became shorter.
        """
        if self.recording.refresh() or not self._blocks:
            self._blocks = list(self.recording.blocks(BlockKind.SNAPSHOTS))

    def advance(self, seconds: float) -> bool:
        """Play for so long; true if another frame has come."""
        if self.paused:
            return False
        before = self._frame
        self._ahead_s += max(0.0, seconds) * self.speed
        for _ in range(MOST_FRAMES):
            following = self._after(self._frame)
            if following is None:
                self._ahead_s = 0.0
                break
            wait_s = min(max(0.0, self._time_s(following) - self._now_s), GAP_S)
            if wait_s > self._ahead_s:
                break
            self._ahead_s -= wait_s
            self._go(following)
        return self._frame != before

    def toggle(self) -> None:
        """Pause, or go on; at the end from the beginning."""
        if not self.paused and self._after(self._frame) is None and not self.recording.growing:
            self.rewind()
        else:
            self.paused = not self.paused
        self._ahead_s = 0.0

    def step(self, by: int) -> None:
        """The next frame or the one before, and pause there."""
        self.paused = True
        self._ahead_s = 0.0
        frame = self._after(self._frame) if by > 0 else self._before(self._frame)
        if frame is not None:
            self._go(frame)

    def seek(self, by_s: float) -> None:
        """So many seconds of the recording on, or back if negative."""
        self._ahead_s = 0.0
        target_s = self._now_s + by_s
        for _ in range(MOST_FRAMES):
            frame = self._after(self._frame) if by_s > 0 else self._before(self._frame)
            if frame is None:
                break
            self._go(frame)
            time_s = self._time_s(frame)
            if time_s >= target_s if by_s > 0 else time_s <= target_s:
                break

    def rewind(self) -> None:
        """To the first frame."""
        self._ahead_s = 0.0
        first = self._after((0, -1))
        if first is not None:
            self._go(first)

    def to_end(self) -> None:
        """To the last frame."""
        self._ahead_s = 0.0
        last = self._before((len(self._blocks), 0))
        if last is not None:
            self._go(last)

    def faster(self, by: int) -> None:
        """The next speed, or the one before."""
        at = SPEEDS.index(self.speed)
        self.speed = SPEEDS[min(max(0, at + by), len(SPEEDS) - 1)]

    def _go(self, frame: Frame) -> None:
        before = self._before(frame)
        between_s = self._time_s(frame) - self._time_s(before) if before is not None else 0.0
        self._gap_s = between_s if between_s > GAP_S else 0.0
        self._frame = frame
        self.snapshot = self._at(frame)

    @property
    def _now_s(self) -> float:
        time_s = self.snapshot.time_s
        return self._blocks[self._frame[0]].first_ns / 1e9 if time_s is None else time_s

    def _after(self, frame: Frame) -> Frame | None:
        block, index = frame
        while block < len(self._blocks):
            if index + 1 < len(self._snapshots(block)):
                return block, index + 1
            block, index = block + 1, -1
        return None

    def _before(self, frame: Frame) -> Frame | None:
        block, index = frame
        if block < len(self._blocks):
            index = min(index, len(self._snapshots(block)))
        while index == 0 and block > 0:
            block, index = block - 1, len(self._snapshots(block - 1))
        return (block, index - 1) if index > 0 else None

    def _time_s(self, frame: Frame) -> float:
        time_s = self._at(frame).time_s
        return self._blocks[frame[0]].first_ns / 1e9 if time_s is None else time_s

    def _at(self, frame: Frame) -> Snapshot:
        return self._snapshots(frame[0])[frame[1]]

    def _snapshots(self, number: int) -> tuple[Snapshot, ...]:
        found = self._cache.pop(number, None)
        if found is None:
            messages = self.recording.snapshots_of(self._blocks[number])
            found = tuple(snapshot_from_proto(message) for message in messages)
            if len(self._cache) >= CACHED_BLOCKS:
                self._cache.pop(next(iter(self._cache)))
        self._cache[number] = found  # The latest used is the last one.
        return found
