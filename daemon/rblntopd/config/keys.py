"""Every key of the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from rblntopd.config.kinds import (
    AbsolutePath,
    Choice,
    Flag,
    HostPort,
    Kind,
    LoopbackPort,
    Names,
    Number,
    Text,
    UnixAddress,
)

LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Key:
    """One thing that can be told."""

    name: str
    """In the file; ``table.key`` lies in a table."""
    kind: Kind
    default: object
    """None: it depends on the host, see :mod:`rblntopd.config.config`."""
    option: str = ""
    """On the command line; empty: there is none."""
    variable: str = ""
    """In the environment, where it has a name of its own."""
    reloaded: bool = False
    """Whether SIGHUP brings a new value into force."""

    @property
    def environment(self) -> str:
        """The variable of the environment."""
        return self.variable or "RBLNTOPD_" + self.name.replace(".", "_").upper()


KEYS = (
    Key("runtime_dir", AbsolutePath(), None, "--runtime-dir", "RBLNTOP_RUNTIME_DIR"),
    Key("state_dir", AbsolutePath(), None, "--state-dir", "RBLNTOP_STATE_DIR"),
    Key("listen", UnixAddress(), None, "--listen"),
    Key("operator_group", Text("a group, or empty: only the daemon's user"), None, reloaded=True),
    Key("viewer_group", Text("a group, or empty: only the daemon's user"), None, reloaded=True),
    Key("write_deadline_s", Number(0.1, 3600), 10.0, "--write-deadline", reloaded=True),
    Key("reapply_limits", Flag(), False, "--reapply-limits", reloaded=True),
    Key("log_level", Choice(*LOG_LEVELS), "info", "--log-level", reloaded=True),
    Key("metrics.listen", LoopbackPort(), None),
    Key("tcp.listen", HostPort(), ""),
    Key("tcp.certificate", AbsolutePath(), None, reloaded=True),
    Key("tcp.key", AbsolutePath(), None, reloaded=True),
    Key("tcp.client_ca", AbsolutePath(), None, reloaded=True),
    Key("tcp.roles", Names("viewer", "operator"), {}, reloaded=True),
)
BY_NAME = {key.name: key for key in KEYS}
