"""What the daemon is to do: the values of all keys, checked, and where each came from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rblntopd.audit.state_dir import state_dir
from rblntopd.config import file
from rblntopd.config.errors import ConfigError, refused
from rblntopd.config.keys import BY_NAME, KEYS, Key
from rblntopd.probe.runtime_dir import runtime_dir
from rblntopd.server.socket_place import (
    OPERATOR_GROUP,
    SERVICE_SOCKET_DIR,
    VIEWER_GROUP,
    default_socket,
    service_group,
    viewer_socket,
)

DEFAULT = "default"
FILE_VARIABLE = "RBLNTOPD_CONFIG"
#: Where the service answers Prometheus.
SERVICE_METRICS = "127.0.0.1:9661"


@dataclass(frozen=True, slots=True)
class Tcp:
    """Where to listen for clients elsewhere, and how to know them."""

    listen: str
    certificate: Path
    key: Path
    client_ca: Path
    """Certificates of clients are signed by this one."""
    roles: Mapping[str, str]
    """By a name in the client's certificate."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the daemon is to do."""

    values: Mapping[str, Any]
    """By key; the host's rules are applied."""
    sources: Mapping[str, str]
    """Where each value came from."""
    path: Path
    """The file, whether or not it is there."""

    @property
    def runtime_dir(self) -> Path:
        """Where engines put their rings."""
        return Path(self.values["runtime_dir"])

    @property
    def state_dir(self) -> Path:
        """Where the audit log is."""
        return Path(self.values["state_dir"])

    @property
    def socket(self) -> Path:
        """The operators' socket."""
        return Path(self.values["listen"].removeprefix("unix:"))

    @property
    def viewer_socket(self) -> Path:
        """The viewers' socket."""
        return viewer_socket(self.socket)

    @property
    def metrics(self) -> tuple[str, int] | None:
        """Where Prometheus scrapes; None: nowhere."""
        host, _, port = self.values["metrics.listen"].rpartition(":")
        return (host.strip("[]"), int(port)) if port else None

    @property
    def tcp(self) -> Tcp | None:
        """None: off."""
        if not self.values["tcp.listen"]:
            return None
        certificate, key, client_ca = (
            Path(self.values[f"tcp.{name}"]) for name in ("certificate", "key", "client_ca")
        )
        return Tcp(self.values["tcp.listen"], certificate, key, client_ca, self.values["tcp.roles"])

    def changed(self, other: Config) -> list[Key]:
        """Keys that have another value in ``other``."""
        return [key for key in KEYS if self.values[key.name] != other.values[key.name]]


def load(
    options: Mapping[str, str | bool | None],
    environ: Mapping[str, str] | None = None,
    path: Path | None = None,
) -> Config:
    """The configuration: of the file, over it the environment, over that the options.

    Args:
        options: As they were given on the command line, by key; None: not given.
        environ: The environment; by default this process's.
        path: The file that was named; by default ``$RBLNTOPD_CONFIG``, else the service's or the user's.

    Raises:
        ConfigError: something in it is not allowed, or there is no such key.
    """
    environ = os.environ if environ is None else environ
    named = path or (Path(given) if (given := environ.get(FILE_VARIABLE)) else None)
    path = (named or file.default_file(environ)).absolute()
    problems: list[str] = []
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}

    def take(key: Key, source: str, given: str | bool) -> None:
        try:
            values[key.name] = given if isinstance(given, bool) else key.kind.from_text(given)
            sources[key.name] = source
        except ValueError:
            problems.append(
                refused(source, given if isinstance(given, str) else str(given), key.kind.allowed)
            )

    try:
        values.update(file.read(path, required=named is not None))
        sources.update(dict.fromkeys(values, str(path)))
    except ConfigError as error:
        problems.extend(error.problems)
    problems.extend(_unknown_variables(environ))
    for key in KEYS:
        if given := environ.get(key.environment):
            take(key, f"${key.environment}", given)
    for name, option in options.items():
        if option is not None:
            take(BY_NAME[name], BY_NAME[name].option, option)
    if not problems:
        problems.extend(_tcp_problems(values))
    if problems:
        raise ConfigError(problems)
    _complete(values, environ)
    return Config(values, {key.name: sources.get(key.name, DEFAULT) for key in KEYS}, path)


def _complete(values: dict[str, Any], environ: Mapping[str, str]) -> None:
    """Apply the defaults, of which some depend on the host."""
    # What the environment says is in the values already; a value from the file must win over the rules.
    if "runtime_dir" not in values:
        values["runtime_dir"] = str(runtime_dir(dict(environ)).absolute())
    if "state_dir" not in values:
        values["state_dir"] = str(state_dir(environ).absolute())
    if "listen" not in values:
        values["listen"] = f"unix:{default_socket(Path(values['runtime_dir']))}"
    socket = Path(values["listen"].removeprefix("unix:"))
    values.setdefault("operator_group", service_group(socket, OPERATOR_GROUP))
    values.setdefault("viewer_group", service_group(socket, VIEWER_GROUP))
    # One daemon of a host has the port: the service. The others would take it from one another.
    values.setdefault("metrics.listen", SERVICE_METRICS if socket.parent == SERVICE_SOCKET_DIR else "")
    for key in KEYS:
        values.setdefault(key.name, key.default)


def _unknown_variables(environ: Mapping[str, str]) -> list[str]:
    known = [*(key.environment for key in KEYS), FILE_VARIABLE]
    return [
        file.unknown(f"${name}", "variable", [f"${one}" for one in known])
        for name in environ
        if name.startswith("RBLNTOPD_") and name not in known
    ]


def _tcp_problems(values: Mapping[str, Any]) -> list[str]:
    """TCP is for clients that prove who they are, and for nobody else."""
    if not values.get("tcp.listen"):
        return []
    needed = ("tcp.certificate", "tcp.key", "tcp.client_ca", "tcp.roles")
    missing = [name for name in needed if not values.get(name)]
    return [f"tcp.listen needs {', '.join(missing)}: TCP is served with certificates only"] if missing else []
