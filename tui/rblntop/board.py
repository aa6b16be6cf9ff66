"""What the dashboard remembers between frames: the engines, the daemons and the operator's choices."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rblntop.lookback import Lookback
from rblntop.model import Engine, EngineState, LoggedChange, Snapshot
from rblntop.scene import Link, LinkState, Scene
from rblntop.source import LinkLost, SnapshotsArrived, Update
from rblntop.trial_effect import EffectFollower
from rblntop.verdict import judge
from rblntop.view_choice import ViewChoice

WINDOWS_S = (1, 10, 60)
STALE_AFTER_S = 3.0
"""Without a message for so long beyond the interval it is stale, whether or not the stream has noticed."""
NOTICE_S = 6.0
MARKED, AWAY = "✓", "■"


@dataclass(slots=True)
class _Daemon:
    """What one daemon last said."""

    address: str = ""
    link: LinkState = LinkState.CONNECTING
    cause: str = ""
    heard_at_s: float | None = None
    readonly_because: str = ""
    snapshots: tuple[Snapshot, ...] = ()


class Board:
    """Turns updates into scenes. Knows no widgets; times come in as arguments (seconds, monotonic)."""

    def __init__(self, *, engine: str = "", readonly_because: str = "") -> None:
        """Show ``engine`` (name or instance id) first, or the first one there is."""
        self.wanted = engine
        self._readonly_always = readonly_because
        self.window_s = 10
        self.interval_s = 1.0
        self.first_group = 0
        self.changes: tuple[LoggedChange, ...] = ()
        self.filter = ""
        self._daemons: dict[str, _Daemon] = {"": _Daemon()}
        self.choice = ViewChoice()
        self.lookback = Lookback()
        self._snapshots: tuple[Snapshot, ...] = ()
        self._daemon_of: dict[str, str] = {}
        self._paused: Scene | None = None
        self._shown: Engine | None = None
        self._marked: list[str] = []
        self._restarted_at: dict[str, float] = {}
        self._effects: dict[str, EffectFollower] = {}
        self._verdicts: dict[str, tuple[str, float]] = {}
        self._notice: tuple[float, str] | None = None

    # --- what there is ---

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """All engines, in order."""
        return self._snapshots

    @property
    def _visible(self) -> tuple[Snapshot, ...]:
        """The engines to choose among: those that the filter matches, or all if none does."""
        found = tuple(
            one
            for one in self._snapshots
            if self.filter in f"{self._address_of(one)} {one.engine.name} {one.engine.model}".lower()
        )
        return found or self._snapshots

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the engines to choose among; with daemon and pid only where they tell engines apart."""
        every = [one.engine.name for one in self._snapshots]
        names = []
        for one in self._visible:
            name = one.engine.name
            if every.count(name) > 1:
                same = [other for other in self._snapshots if other.engine.name == name]
                here = self._daemon_of.get(one.engine.instance_id, "")
                near = [other for other in same if self._daemon_of.get(other.engine.instance_id, "") == here]
                name = f"{one.engine.pid} {name}" if len(near) > 1 else name
                name = f"{_short(self._address_of(one))}:{name}" if len(near) < len(same) else name
            names.append(name)
        return tuple(names)

    def _address_of(self, snapshot: Snapshot) -> str:
        return self._daemon_of.get(snapshot.engine.instance_id, "")

    @property
    def chosen(self) -> Snapshot | None:
        """The engine on the screen: it stays the same process as long as that is there."""
        among = self._asked_for or list(self._snapshots)
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
        """A daemon has spoken."""
        return any(daemon.heard_at_s is not None for daemon in self._daemons.values())

    @property
    def readonly_because(self) -> str:
        """Why the engine on the screen cannot be changed. Empty: it can."""
        return self._readonly_always or self._daemon.readonly_because

    @property
    def _daemon(self) -> _Daemon:
        """That of the engine on the screen; without an engine one that is away, if there is any."""
        chosen = self.chosen
        if chosen is not None:
            return self._daemons[self._daemon_of.get(chosen.engine.instance_id, "")]
        every = list(self._daemons.values())
        return next((daemon for daemon in every if daemon.link is LinkState.LOST), every[0])

    def of_same_daemon(self, snapshots: tuple[Snapshot, ...]) -> bool:
        """Whether one daemon can change all of these."""
        return len({self._address_of(snapshot) for snapshot in snapshots}) < 2

    # --- what comes ---

    def take(self, update: Update, now_s: float, *, address: str = "", readonly_because: str = "") -> None:
        """Work an update in."""
        if update.daemon and "" in self._daemons:
            del self._daemons[""]
        daemon = self._daemons.setdefault(update.daemon, _Daemon(update.daemon))
        daemon.address = update.daemon or address or daemon.address
        if isinstance(update, LinkLost):
            daemon.link, daemon.cause = LinkState.LOST, update.cause
            return
        assert isinstance(update, SnapshotsArrived)
        daemon.link, daemon.cause, daemon.heard_at_s = LinkState.LIVE, "", now_s
        daemon.readonly_because = update.readonly_because or readonly_because
        before, daemon.snapshots = daemon.snapshots, _without_predecessors(update.snapshots)
        there = {snapshot.engine.instance_id for snapshot in daemon.snapshots}
        ended = {one.engine.name for one in before if one.engine.instance_id not in there}
        known = {one.engine.instance_id for one in before}
        for one in daemon.snapshots:
            if one.engine.name in ended and one.engine.instance_id not in known:
                self._restarted_at[one.engine.instance_id] = now_s
        self._gather()
        self._follow(daemon.snapshots)
        self.lookback.add(self._snapshots)

    def _gather(self) -> None:
        of = [(key, one) for key, daemon in self._daemons.items() for one in daemon.snapshots]
        self._daemon_of = {one.engine.instance_id: key for key, one in of}
        every = [one for _, one in of]
        self._snapshots = tuple(
            sorted(every, key=lambda one: (_natural(one.engine.name), one.engine.instance_id))
        )
        there = {one.engine.instance_id for one in every}
        self._marked = [mark for mark in self._marked if mark in there]
        self._effects = {name: kept for name, kept in self._effects.items() if name in there}
        chosen = self.chosen
        if chosen is not None:
            self._shown = chosen.engine

    def _follow(self, snapshots: tuple[Snapshot, ...]) -> None:
        for one in snapshots:
            self._effects.setdefault(one.engine.instance_id, EffectFollower()).take(one)

    def denied(self, because: str) -> None:
        """The daemon of the engine on the screen says that we may not change it."""
        self._daemon.readonly_because = because

    # --- what the operator chooses ---

    def choose(self, index: int) -> None:
        """Show the engine of that index; out of range changes nothing."""
        visible = self._visible
        if 0 <= index < len(visible):
            self.show(visible[index])

    def show(self, snapshot: Snapshot) -> None:
        """Show the engine of a snapshot."""
        self._shown = snapshot.engine
        self.wanted = snapshot.engine.name
        self.first_group = 0
        self._paused = None

    def choose_next(self, by: int) -> None:
        """Show the next engine, or the one before."""
        if self._visible:
            self.choose((self._chosen_index + by) % len(self._visible))

    @property
    def _chosen_index(self) -> int:
        chosen = self.chosen
        return next((at for at, snapshot in enumerate(self._visible) if snapshot is chosen), 0)

    def look_for(self, text: str) -> bool:
        """Show only what holds a text; an engine that does not gives way to the first that does.

        Returns:
            Whether anything holds it.
        """
        self.filter = self.choice.request_filter = text.strip().lower()
        self.first_group = 0
        chosen = self.chosen
        if chosen is not None and all(one is not chosen for one in self._visible):
            self.choose(0)
            chosen = self.chosen
        if not self.filter or chosen is None:
            return True
        scene = Scene(chosen, filter=self.filter)
        return len(self._visible) < len(self._snapshots) or len(scene.groups) < len(chosen.groups)

    def mark(self) -> bool:
        """Mark the engine on the screen for the next change, or take its mark away.

        Returns:
            Whether it is marked now.
        """
        chosen = self.chosen
        if chosen is None:
            return False
        name = chosen.engine.instance_id
        if name in self._marked:
            self._marked.remove(name)
        else:
            self._marked.append(name)
        return name in self._marked

    def unmark_all(self) -> None:
        """The next change is for the engine on the screen."""
        self._marked = []

    @property
    def marked(self) -> tuple[Snapshot, ...]:
        """The marked engines, in order."""
        return tuple(one for one in self._snapshots if one.engine.instance_id in self._marked)

    @property
    def paused(self) -> bool:
        """The figures stand still."""
        return self._paused is not None

    def pause(self, now_s: float, clock_s: float | None) -> None:
        """Let the figures stand still. What comes meanwhile is not lost: going on shows the latest."""
        self._paused = self.scene(now_s, clock_s)

    def resume(self) -> None:
        """Show what is."""
        self._paused = None

    def scroll(self, by: int, in_view: int) -> None:
        """Move the groups that are in view, ``in_view`` at a time."""
        snapshot = self.chosen
        count = len(Scene(snapshot, filter=self.filter).groups) if snapshot is not None else 0
        self.first_group = min(max(0, self.first_group + by), max(0, count - in_view))

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

    # --- what is to be drawn ---

    def link(self, now_s: float) -> Link:
        """How we stand with the daemon of the engine on the screen."""
        return self._link(self._daemon, now_s)

    def _link(self, daemon: _Daemon, now_s: float) -> Link:
        age_s = max(0.0, now_s - daemon.heard_at_s) if daemon.heard_at_s is not None else 0.0
        state = daemon.link
        if state is LinkState.LIVE and age_s > STALE_AFTER_S + self.interval_s:
            state = LinkState.LOST
        because = self._readonly_always or daemon.readonly_because
        return Link(state, age_s, daemon.cause, daemon.address, because)

    def scenes(self, now_s: float) -> list[Scene]:
        """All engines at a moment, in the order of ``names``."""
        names = self.names
        return [
            Scene(
                snapshot,
                self._link(self._daemons[self._daemon_of.get(snapshot.engine.instance_id, "")], now_s),
                self.window_s,
                engines=names,
                restarted_ago_s=now_s - at
                if (at := self._restarted_at.get(snapshot.engine.instance_id))
                else None,
                chosen_engine=number,
            )
            for number, snapshot in enumerate(self._visible)
        ]

    def scene(self, now_s: float, clock_s: float | None) -> Scene | None:
        """The frame at a moment; None while there is no engine."""
        snapshot = self.chosen
        if snapshot is None:
            return None
        instance = snapshot.engine.instance_id
        if self._paused is not None:
            return replace(
                self._paused,
                link=self.link(now_s),
                clock_s=clock_s,
                window_s=self.window_s,
                first_group=self.first_group,
                filter=self.filter,
                paused=True,
            )
        restarted_at = self._restarted_at.get(instance)
        effects = self._effects.get(instance)
        scene = Scene(
            snapshot,
            self.link(now_s),
            self.window_s,
            clock_s,
            self.names,
            now_s - restarted_at if restarted_at is not None else None,
            self.first_group,
            self._chosen_index,
            changes=self.changes,
            effect=effects.effect(snapshot) if effects is not None else None,
            marked=self.marked,
            tab_signs=tuple(self._sign(one, now_s) for one in self._visible),
            filter=self.filter,
            interval_s=self.interval_s,
            view=self.choice.view,
            span_s=self.choice.span_s,
            zoomed=self.choice.zoomed,
            request_sort=self.choice.request_sort,
            request_filter=self.choice.request_filter,
            first_request=self.choice.first_row,
            first_event=self.choice.first_row,
            past=self.lookback.past(snapshot),
        )
        return replace(scene, since_s=self._verdict_age_s(scene, now_s))

    def _sign(self, snapshot: Snapshot, now_s: float) -> str:
        if snapshot.engine.instance_id in self._marked:
            return MARKED
        daemon = self._daemons[self._daemon_of.get(snapshot.engine.instance_id, "")]
        return AWAY if self._link(daemon, now_s).state is LinkState.LOST else ""

    def _verdict_age_s(self, scene: Scene, now_s: float) -> float:
        instance, rule = scene.snapshot.engine.instance_id, judge(scene).rule
        known = self._verdicts.get(instance)
        if known is None or known[0] != rule:
            self._verdicts[instance] = known = (rule, now_s)
        return max(0.0, now_s - known[1])


def _short(address: str) -> str:
    """What tells daemons apart: host and port, or the directory of a socket."""
    if not address.startswith("unix:"):
        return address
    parts = address.removeprefix("unix:").split("/")
    return parts[-2] if len(parts) > 1 and parts[-2] else address


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
