"""Where the daemon listens: an address that was given, or the first local socket that exists."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rblntop.client.errors import HOW_TO_START, AddressError, UnreachableError

SOCKET = "rblntopd.sock"
READONLY_SOCKET = "rblntopd-ro.sock"
READONLY_ENDING = "-ro.sock"
"""The viewers' socket of a daemon that was told where to listen ends so as well."""
IDENTITY_SOCKET = "rblntopd-id.sock"

TLS_SCHEME = "tls://"

#: sizeof(sockaddr_un.sun_path) - 1 on Linux.
MAX_SOCKET_PATH = 107

_HOST_PORT = re.compile(r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$")


@dataclass(frozen=True)
class Address:
    """One place to connect to, as grpc spells it: ``unix:/path`` or ``host:port``."""

    target: str
    tls: bool = False
    """Whether the daemon is spoken to with certificates, over TCP."""

    @property
    def readonly(self) -> bool:
        """The viewers' socket: the daemon refuses changes that come through it."""
        return self.target.startswith("unix:") and self.target.endswith(READONLY_ENDING)

    @property
    def identity_socket(self) -> str | None:
        """Where the daemon tells who we are; None where it cannot know: over TCP."""
        if not self.target.startswith("unix:"):
            return None
        return os.path.join(os.path.dirname(self.target.removeprefix("unix:")), IDENTITY_SOCKET)

    def __str__(self) -> str:
        return f"{TLS_SCHEME}{self.target}" if self.tls else self.target


def parse_address(text: str) -> Address:
    """Check an address that somebody typed.

    Raises:
        AddressError: neither ``unix:/path`` (or an absolute path), nor ``tls://host:port`` or ``host:port``.
    """
    path = text.removeprefix("unix:")
    if path.startswith("//"):
        path = path[2:]
    if path.startswith("/"):
        if len(os.fsencode(path)) > MAX_SOCKET_PATH:
            raise AddressError(f"{text!r}: a socket path has at most {MAX_SOCKET_PATH} bytes")
        return Address(f"unix:{path}")
    target = text.removeprefix(TLS_SCHEME)
    match = _HOST_PORT.match(target)
    if match is None or not 0 < int(match[2]) < 65536:
        raise AddressError(f"{text!r} is no address: use unix:/path/to/{SOCKET} or tls://host:port")
    return Address(target, tls=target != text)


def local_sockets(environment: Mapping[str, str], uid: int) -> list[str]:
    """Socket paths of local daemons, in the order in which they are tried."""
    paths = []
    if runtime_dir := environment.get("RBLNTOP_RUNTIME_DIR"):
        paths.append(f"{runtime_dir}/{SOCKET}")
    paths += [f"/run/rblntopd/{SOCKET}", f"/run/rblntopd/{READONLY_SOCKET}"]
    # Root's own daemon on a host whose service does not run.
    paths += [f"/run/rblntop/{SOCKET}"]
    if user_dir := environment.get("XDG_RUNTIME_DIR"):
        paths.append(f"{user_dir}/rblntop/{SOCKET}")
    return [*paths, f"/tmp/rblntop-{uid}/{SOCKET}"]


def find_address(
    given: str | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    uid: int | None = None,
    usable: Callable[[str], bool] | None = None,
) -> Address:
    """The address to use: the one given, else ``$RBLNTOP_ADDRESS``, else the first local socket.

    Raises:
        AddressError: the given address cannot be one.
        UnreachableError: none was given and no local daemon has a socket that we may use.
    """
    environment = os.environ if environment is None else environment
    usable = _may_connect if usable is None else usable
    chosen = given or environment.get("RBLNTOP_ADDRESS")
    if chosen:
        return parse_address(chosen)
    paths = local_sockets(environment, os.getuid() if uid is None else uid)
    for path in paths:
        if usable(path):
            return Address(f"unix:{path}")
    raise UnreachableError(
        "any of " + ", ".join(paths),
        "none of these sockets is there, or you may not use it",
        hint=HOW_TO_START + " A daemon elsewhere: --connect ADDRESS or $RBLNTOP_ADDRESS.",
    )


def _may_connect(path: str) -> bool:
    # Connecting needs write permission on the socket; without it the viewers' socket is next in the list.
    return os.path.exists(path) and os.access(path, os.W_OK)
