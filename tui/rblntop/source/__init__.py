"""Where snapshots come from: live, scripted or recorded. The screen cannot tell them apart."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol

from rblntop.model import Snapshot
from rblntop.source.changes import ChangeDesk


@dataclass(frozen=True, slots=True)
class SnapshotsArrived:
    """One snapshot of every engine there is."""

    snapshots: tuple[Snapshot, ...]
    daemon: str = ""
    """The address of the one of several daemons that says so; its engines are all there are of that one."""
    readonly_because: str = ""
    """Why that one takes no changes."""


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The source has nothing to say for now, and tries again."""

    cause: str
    daemon: str = ""


Update = SnapshotsArrived | LinkLost


class SnapshotSource(ChangeDesk, Protocol):
    """Feeds the screen, and takes its orders."""

    @property
    def address(self) -> str:
        """Where it comes from, for the reader."""

    @property
    def readonly_because(self) -> str:
        """Why limits cannot be changed through it. Empty: they can."""

    @property
    def interval_s(self) -> float:
        """Time between updates. Takes force at once when set; a source with its own pace ignores it."""

    @interval_s.setter
    def interval_s(self, seconds: float) -> None: ...

    def updates(self) -> AsyncGenerator[Update, None]:
        """Updates until closed. Raises ``RefusedError`` if the other side says no."""
