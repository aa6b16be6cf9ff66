"""What the dashboard remembers between frames: the engines, the link and the operator's choices."""

from __future__ import annotations

import re

from rblntop.lookback import Lookback
from rblntop.model import Engine, EngineState, Snapshot
from rblntop.scene import Link, LinkState, Scene
from rblntop.source import LinkLost, SnapshotsArrived, Update
from rblntop.view_choice import ViewChoice

WINDOWS_S = (1, 10, 60)
STALE_AFTER_S = 4.0
"""Without a message for so long the screen is stale, whether or not the stream has noticed."""
NOTICE_S = 6.0


class Board:
    """Turns updates into scenes. Knows no widgets; times come in as arguments (seconds, monotonic)."""

    def __init__(self, *, engine: str = "", readonly_because: str = "") -> None:
        """Show ``engine`` (name or instance id) first, or the first one there is."""
        self.wanted = engine
        self._readonly_always = readonly_because
        self.readonly_because = readonly_because
        self.window_s = 10
        self.first_group = 0
        self.choice = ViewChoice()
        self.lookback = Lookback()
        self._snapshots: tuple[Snapshot, ...] = ()
        self._shown: Engine | None = None
        self._link = LinkState.CONNECTING
        self._cause = ""
        self._address = ""
        self._heard_at: float | None = None
        self._restarted_at: dict[str, float] = {}
        self._notice: tuple[float, str] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all engines, in order; with the pid where several have the same."""
        engines = [snapshot.engine for snapshot in self._snapshots]
        names = [engine.name for engine in engines]
        return tuple(
            f"{engine.pid} {engine.name}" if names.count(engine.name) > 1 else engine.name
            for engine in engines
        )

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """Of all engines, in the order of ``names``."""
        return self._snapshots

    @property
    def chosen(self) -> Snapshot | None:
        """The engine on the screen: it stays the same process as long as that is there."""
        among = self._asked_for or self._snapshots
        if self._shown is not None:
            for key in ("instance_id", "name"):
                for snapshot in among:
                    if getattr(snapshot.engine, key) == getattr(self._shown, key):
                        return snapshot
        return next(iter(among), None)

    @property
    def stands_in(self) -> bool:
        """The engine on the screen is not the one that was asked for: that one is not there."""
        return bool(self.wanted and self._snapshots) and not self._asked_for

    @property
    def _asked_for(self) -> list[Snapshot]:
        return [
            snapshot
            for snapshot in self._snapshots
            if self.wanted in (snapshot.engine.name, snapshot.engine.instance_id)
        ]

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
        self.readonly_because = self._readonly_always or readonly_because
        before = self._snapshots
        self._snapshots = _without_predecessors(update.snapshots)
        there = {snapshot.engine.instance_id for snapshot in self._snapshots}
        ended = {one.engine.name for one in before if one.engine.instance_id not in there}
        known = {one.engine.instance_id for one in before}
        for one in self._snapshots:
            if one.engine.name in ended and one.engine.instance_id not in known:
                self._restarted_at[one.engine.instance_id] = now_s
        self._remember_shown()
        self.lookback.add(self._snapshots)

    def choose(self, index: int) -> None:
        """Show the engine of that index; out of range changes nothing."""
        if 0 <= index < len(self._snapshots):
            self._shown = self._snapshots[index].engine
            self.wanted = self._shown.name
            self.first_group = 0

    def choose_next(self, by: int) -> None:
        """Show the next engine, or the one before."""
        if self._snapshots:
            self.choose((self._chosen_index + by) % len(self._snapshots))

    @property
    def _chosen_index(self) -> int:
        chosen = self.chosen
        return next((at for at, snapshot in enumerate(self._snapshots) if snapshot is chosen), 0)

    def _remember_shown(self) -> None:
        chosen = self.chosen
        if chosen is not None:
            self._shown = chosen.engine

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

    def scenes(self, now_s: float) -> list[Scene]:
        """All engines at a moment, in the order of ``names``."""
        link, names = self.link(now_s), self.names
        return [
            Scene(
                snapshot,
                link,
                self.window_s,
                engines=names,
                restarted_ago_s=now_s - at
                if (at := self._restarted_at.get(snapshot.engine.instance_id))
                else None,
                chosen_engine=number,
            )
            for number, snapshot in enumerate(self._snapshots)
        ]

    def scene(self, now_s: float, clock_s: float | None) -> Scene | None:
        """The frame at a moment; None while there is no engine."""
        snapshot = self.chosen
        if snapshot is None:
            return None
        restarted_at = self._restarted_at.get(snapshot.engine.instance_id)
        return Scene(
            snapshot,
            self.link(now_s),
            self.window_s,
            clock_s,
            self.names,
            now_s - restarted_at if restarted_at is not None else None,
            self.first_group,
            self._chosen_index,
            view=self.choice.view,
            span_s=self.choice.span_s,
            zoomed=self.choice.zoomed,
            request_sort=self.choice.request_sort,
            request_filter=self.choice.request_filter,
            first_request=self.choice.first_row,
            first_event=self.choice.first_row,
            past=self.lookback.past(snapshot),
        )


def _without_predecessors(snapshots: tuple[Snapshot, ...]) -> tuple[Snapshot, ...]:
    """After a restart the daemon may still hold the dead process: the living ones of a name are shown."""
    living = {one.engine.name for one in snapshots if one.engine.state is not EngineState.GONE}
    shown = [
        one for one in snapshots if one.engine.state is not EngineState.GONE or one.engine.name not in living
    ]
    return tuple(sorted(shown, key=lambda one: (_natural(one.engine.name), one.engine.instance_id)))


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """``rank/10`` comes after ``rank/9``."""
    return tuple(
        (int(part), "") if part.isascii() and part.isdecimal() and len(part) < 19 else (-1, part)
        for part in re.split(r"([0-9]+)", name)
    )
