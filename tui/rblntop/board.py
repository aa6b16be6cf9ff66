"""What the dashboard remembers between frames: the engines, the link and the operator's choices."""

from __future__ import annotations

from rblntop.model import EngineState, Snapshot
from rblntop.scene import Link, LinkState, Scene
from rblntop.source import LinkLost, SnapshotsArrived, Update

WINDOWS_S = (1, 10, 60)
STALE_AFTER_S = 4.0
"""Without a message for so long the screen is stale, whether or not the stream has noticed."""
NOTICE_S = 6.0


class Board:
    """Turns updates into scenes. Knows no widgets; times come in as arguments (seconds, monotonic)."""

    def __init__(self, *, engine: str = "", readonly_because: str = "") -> None:
        """Show ``engine`` (name or instance id) first, or the first one there is."""
        self.wanted = engine
        self.readonly_because = readonly_because
        self.window_s = 10
        self.first_group = 0
        self._snapshots: dict[str, Snapshot] = {}
        self._link = LinkState.CONNECTING
        self._cause = ""
        self._address = ""
        self._heard_at: float | None = None
        self._restarted_at: dict[str, float] = {}
        self._notice: tuple[float, str] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all engines, in order."""
        return tuple(self._snapshots)

    @property
    def chosen(self) -> Snapshot | None:
        """The engine on the screen."""
        return self._wanted_one or next(iter(self._snapshots.values()), None)

    @property
    def stands_in(self) -> bool:
        """The engine on the screen is not the one that was asked for: that one is not there."""
        return bool(self.wanted and self._snapshots) and self._wanted_one is None

    @property
    def _wanted_one(self) -> Snapshot | None:
        for name, snapshot in self._snapshots.items():
            if self.wanted in (name, snapshot.engine.instance_id):
                return snapshot
        return None

    @property
    def heard(self) -> bool:
        """The daemon has spoken."""
        return self._heard_at is not None

    def take(self, update: Update, now_s: float, *, address: str = "", readonly_because: str = "") -> None:
        """Work an update in."""
        self._address = address or self._address
        if isinstance(update, LinkLost):
            self._link, self._cause = LinkState.LOST, update.cause
            return
        assert isinstance(update, SnapshotsArrived)
        self._link, self._cause, self._heard_at = LinkState.LIVE, "", now_s
        self.readonly_because = readonly_because or self.readonly_because
        snapshots = _one_per_name(update.snapshots)
        for name, snapshot in snapshots.items():
            before = self._snapshots.get(name)
            if before is not None and before.engine.instance_id != snapshot.engine.instance_id:
                self._restarted_at[name] = now_s
        self._snapshots = snapshots

    def choose(self, index: int) -> None:
        """Show the engine of that index; out of range changes nothing."""
        if 0 <= index < len(self.names):
            self.wanted = self.names[index]
            self.first_group = 0

    def choose_next(self, by: int) -> None:
        """Show the next engine, or the one before."""
        chosen = self.chosen
        if chosen is not None:
            self.choose((self.names.index(chosen.engine.name) + by) % len(self.names))

    def scroll(self, by: int, in_view: int) -> None:
        """Move the groups that are in view, ``in_view`` at a time."""
        snapshot = self.chosen
        last = max(0, len(snapshot.groups) - in_view) if snapshot is not None else 0
        self.first_group = min(max(0, self.first_group + by), last)

    def next_window(self) -> None:
        """1, 10, 60 s, and around."""
        at = WINDOWS_S.index(self.window_s) if self.window_s in WINDOWS_S else 0
        self.window_s = WINDOWS_S[(at + 1) % len(WINDOWS_S)]

    def say(self, text: str, now_s: float) -> None:
        """Tell the operator something for a few seconds."""
        self._notice = (now_s, text)

    def notice(self, now_s: float) -> str:
        """What is being told."""
        if self._notice is None or now_s - self._notice[0] > NOTICE_S:
            return ""
        return self._notice[1]

    def link(self, now_s: float) -> Link:
        """How we stand with the daemon."""
        age_s = max(0.0, now_s - self._heard_at) if self._heard_at is not None else 0.0
        state = self._link
        if state is LinkState.LIVE and age_s > STALE_AFTER_S:
            state = LinkState.LOST
        return Link(state, age_s, self._cause, self._address, self.readonly_because)

    def scene(self, now_s: float, clock_s: float | None) -> Scene | None:
        """The frame at a moment; None while there is no engine."""
        snapshot = self.chosen
        if snapshot is None:
            return None
        restarted_at = self._restarted_at.get(snapshot.engine.name)
        return Scene(
            snapshot,
            self.link(now_s),
            self.window_s,
            clock_s,
            self.names,
            now_s - restarted_at if restarted_at is not None else None,
            self.first_group,
        )


def _one_per_name(snapshots: tuple[Snapshot, ...]) -> dict[str, Snapshot]:
    """After a restart the daemon may still hold the dead process: the living one is shown."""
    chosen: dict[str, Snapshot] = {}
    for snapshot in snapshots:
        name = snapshot.engine.name
        if name not in chosen or chosen[name].engine.state is EngineState.GONE:
            chosen[name] = snapshot
    return dict(sorted(chosen.items()))
