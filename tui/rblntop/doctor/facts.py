"""Everything that the doctor looks at, as plain values: gathered in one go, judged elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PluginAnswer:
    """What an interpreter said when it was asked for the plugin."""

    python: str
    """Its path; empty: it is not known which one it is."""
    error: str = ""
    """Why there is no answer; the rest is empty then."""
    installed: bool = False
    """Whether it has the entry point ``vllm.general_plugins: rblntop``."""
    probe_version: str = ""
    """Empty: the probe cannot be imported."""
    import_error: str = ""
    """Why the probe cannot be imported."""
    has_vllm: bool = False
    has_vllm_rbln: bool = False


@dataclass(frozen=True, slots=True)
class VllmProcess:
    """One vLLM command that runs: its API servers, engine cores and workers together."""

    pid: int
    """Of the process that was started first."""
    title: str
    """Its command line without options."""
    user: str
    age_s: float
    pids: frozenset[int]
    """Of all its processes, as seen here and in the pid namespaces that they are in."""
    core_pids: tuple[frozenset[int], ...]
    """Of each EngineCore that shows itself by its title; empty where none does."""
    environment: Mapping[str, str] | None
    """None: it cannot be read."""
    environment_error: str
    plugin: PluginAnswer
    runtime: Path | None
    """Its runtime directory by the probe's rules; None: not known."""
    same_files: bool
    """Whether it sees the same files as we do: in a container it does not."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where the ring of an engine would lie that starts now."""

    on_tmpfs: bool
    """Whether the runtime directory is on one; else rings go to shared memory."""
    place: Path | None
    """None: there is no tmpfs."""
    free_bytes: int
    """On that."""
    needed_bytes: int
    """So much must be free for a ring to be made."""


@dataclass(frozen=True, slots=True)
class Place:
    """A runtime directory."""

    path: Path
    chosen_by: str
    """Which of the rules led to it, in words."""
    error: str = ""
    """Why it cannot be looked at; the rest is empty then."""
    exists: bool = False
    is_directory: bool = False
    uid: int = 0
    owner: str = ""
    mode: int = 0
    """Permission bits, the sticky and setgid bits included."""
    can_list: bool = False
    """Whether we may look into the directory of the rings, or the runtime directory where that is missing."""
    can_write: bool = False
    """Whether an engine that we start could put its ring there."""
    room: Room | None = None


@dataclass(frozen=True, slots=True)
class RingFact:
    """A ring that was read."""

    path: Path
    runtime: Path
    name: str
    instance_id: str
    pid: int
    age_s: float
    """Since it was made."""
    alive: bool
    detached: bool = False
    probe_version: str = ""
    fault: str = ""
    """Why the probe switched itself off."""
    notice: str = ""
    unavailable: tuple[tuple[str, str], ...] = ()
    """Limits that cannot be changed, each with the reason."""


@dataclass(frozen=True, slots=True)
class BadRing:
    """A ring that cannot be read."""

    path: Path
    reason: str
    foreign_owner: str = ""
    """Whose it is, where that is why it is not read: even root trusts no files of other users."""


@dataclass(frozen=True, slots=True)
class SocketFact:
    """A socket of a local daemon."""

    path: str
    owner: str
    group: str
    mode: int
    usable: bool


@dataclass(frozen=True, slots=True)
class ListedEngine:
    """An engine as the daemon lists it."""

    name: str
    instance_id: str
    pid: int


@dataclass(frozen=True, slots=True)
class DaemonFact:
    """The daemon that a command would use."""

    address: str
    """Empty: there is no local daemon."""
    was_asked_for: bool
    """``--connect`` or ``$RBLNTOP_ADDRESS`` named it."""
    is_local: bool = False
    error: str = ""
    """Why it does not answer; the rest is empty then."""
    hint: str = ""
    version: str = ""
    role: str = ""
    """``operator`` or ``viewer``; empty: not known."""
    engines: tuple[ListedEngine, ...] = ()
    clock_ahead_s: float | None = None
    """The daemon's wall clock less ours; None: no engine, so nothing that has its time."""
    clock_uncertainty_s: float = 0.0
    """How long the question took."""
    sockets: tuple[SocketFact, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviceFact:
    """RBLN NPUs of this host."""

    nodes: tuple[tuple[str, bool], ...]
    """Device nodes, each with whether we may open it."""
    driver_address: str
    driver_error: str
    """Why the driver daemon does not answer; empty: it does."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is on this host, as far as we may look."""

    version: str
    """Ours."""
    user: str
    uid: int
    place: Place
    engines: tuple[VllmProcess, ...]
    rings: tuple[RingFact, ...]
    bad_rings: tuple[BadRing, ...]
    daemon: DaemonFact
    devices: DeviceFact
    asked: PluginAnswer | None = None
    """Of the interpreter that ``--python`` named."""
    own_environment: Mapping[str, str] | None = None
    """The environment that an engine would have that we start."""
