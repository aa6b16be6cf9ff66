"""Where snapshots come from: live, scripted or recorded. The screen cannot tell them apart."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rblntop.model import Limits, Snapshot


@dataclass(frozen=True, slots=True)
class SnapshotsArrived:
    """One snapshot of every engine there is."""

    snapshots: tuple[Snapshot, ...]


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The source has nothing to say for now, and tries again."""

    cause: str


Update = SnapshotsArrived | LinkLost


@dataclass(frozen=True, slots=True)
class ChangeAccepted:
    """A change of limits is stored under the scheduler's lock."""

    generation: int
    limits: Limits
    warnings: tuple[str, ...] = ()


class SnapshotSource(Protocol):
    """Feeds the screen."""

    @property
    def address(self) -> str:
        """Where it comes from, for the reader."""

    @property
    def readonly_because(self) -> str:
        """Why limits cannot be changed through it. Empty: they can."""

    def updates(self) -> AsyncGenerator[Update, None]:
        """Updates until closed. Raises ``RefusedError`` if the other side says no."""

    async def set_limits(
        self, engine: str, *, max_num_seqs: int | None = None, group_caps: Sequence[tuple[int, int]] = ()
    ) -> ChangeAccepted:
        """Change limits. Raises ``ClientError``."""
