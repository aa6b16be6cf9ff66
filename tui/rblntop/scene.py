"""All that one frame is drawn from."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from rblntop.model import Group, LoggedChange, Snapshot, Window
from rblntop.past import Past
from rblntop.playback import Playback
from rblntop.trial_effect import TrialEffect
from rblntop.view import View


class LinkState(enum.Enum):
    """How we stand with the daemon."""

    CONNECTING = "connecting"
    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Link:
    """The connection to the daemon, at the time of the frame."""

    state: LinkState = LinkState.LIVE
    age_s: float = 0.0
    """Since the last message came."""
    cause: str = ""
    """Why it is lost."""
    address: str = ""
    readonly_because: str = ""
    """Why limits cannot be changed. Empty: they can."""

    @property
    def readonly(self) -> bool:
        """Limits cannot be changed from here."""
        return bool(self.readonly_because)


@dataclass(frozen=True, slots=True)
class Scene:
    """One engine, the connection, and what the operator chose to see."""

    snapshot: Snapshot
    link: Link = field(default_factory=Link)
    window_s: int = 10
    clock_s: float | None = None
    """Wall-clock time of the frame; None: the snapshot's."""
    engines: tuple[str, ...] = ()
    """Names of all engines, in order."""
    restarted_ago_s: float | None = None
    """Since another process took over the name while we watched."""
    first_group: int = 0
    """The group at the top of the table, when there are more than fit."""
    chosen_engine: int = 0
    """Which of ``engines`` the snapshot is of."""
    playback: Playback | None = None
    """Of a recording. None: this is live."""
    changes: tuple[LoggedChange, ...] = ()
    """The audit log of all engines, newest first, as far as it was read."""
    effect: TrialEffect | None = None
    """What the trial did so far; None: there is none, or nothing is known."""
    since_s: float | None = None
    """For how long the verdict has been this one, while we watched."""
    marked: tuple[Snapshot, ...] = ()
    """The engines that the next change is for; empty: the one on the screen."""
    tab_signs: tuple[str, ...] = ()
    """A sign for each of ``engines``: marked, or its daemon is away."""
    filter: str = ""
    """Text that the operator looks for, in lower case."""
    paused: bool = False
    """The figures stand still because the operator wants it."""
    interval_s: float = 1.0
    """Time between snapshots."""
    view: View = View.GRAPHS
    """What the lower part shows."""
    span_s: int = 600
    """Time that the graphs show."""
    zoomed: bool = False
    """A cell of the strips is a step, not a second."""
    request_sort: str = "age"
    request_filter: str = ""
    """Words that all stand in a request's id, state or group."""
    first_request: int = 0
    """The request at the top of the list, when there are more than fit."""
    first_event: int = 0
    past: Past = field(default_factory=Past)
    """What is known beside the snapshot."""

    @property
    def window(self) -> Window:
        """The figures of the chosen window; all missing if the daemon sent none."""
        return self.snapshot.window(self.window_s) or Window(self.window_s)

    @property
    def measured(self) -> bool:
        """The daemon sent figures for the chosen window."""
        return self.snapshot.window(self.window_s) is not None

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups to list: those that the filter matches, or all if it is about something else."""
        if not self.filter:
            return self.snapshot.groups
        found = tuple(group for group in self.snapshot.groups if self._looked_for(group))
        return found or self.snapshot.groups

    def _looked_for(self, group: Group) -> bool:
        cap = self.snapshot.limits.cap(group.group)
        if self.filter.isdecimal():
            return group.group == int(self.filter)
        words = [f"group {group.group}", "idle" if not group.running else "running"]
        if cap is not None and cap.lowered:
            words.append("capped")
        if cap is not None and cap.target is not None and cap.effective > cap.target:
            words.append("draining")
        return any(self.filter in word for word in words)

    @property
    def stale(self) -> bool:
        """What is shown is not what is."""
        return self.link.state is LinkState.LOST
