"""Where the daemon listens: a unix socket path that is locked, short enough, and ours."""

from __future__ import annotations

import fcntl
import grp
import os
import stat
from pathlib import Path

from rblntopd.private_dir import make_private
from rblntopd.probe.runtime_dir import SERVICE_DIR

SERVICE_SOCKET_DIR = Path("/run/rblntopd")
SOCKET_NAME = "rblntopd.sock"
OPERATOR_GROUP = "rblntop-admin"
VIEWER_GROUP = "rblntop"
#: sun_path holds 108 bytes with its terminator (unix(7)).
MAX_PATH = 107


class SocketPlaceError(Exception):
    """The daemon cannot listen where it should; the message says why and what to do."""


def default_socket(runtime: Path) -> Path:
    """The service's socket for the service's runtime directory, else one in the runtime directory."""
    if runtime == SERVICE_DIR and os.access(SERVICE_SOCKET_DIR, os.W_OK):
        return SERVICE_SOCKET_DIR / SOCKET_NAME
    return runtime / SOCKET_NAME


def is_services(runtime: Path) -> bool:
    """Whether engines in ``runtime`` are served by the service, which runs (or is just being restarted)."""
    return runtime == SERVICE_DIR and SERVICE_SOCKET_DIR.is_dir()


def viewer_socket(operator_socket: Path) -> Path:
    """The viewers' socket lies beside the operators', as ``<name>-ro.sock``."""
    return operator_socket.with_name(f"{operator_socket.name.removesuffix('.sock')}-ro.sock")


def service_group(path: Path, group: str) -> str:
    """``group`` for a socket of the service, where the host has it; else nobody but the owner."""
    if path.parent != SERVICE_SOCKET_DIR:
        return ""
    try:
        grp.getgrnam(group)
    except KeyError:
        return ""
    return group


class SocketTakenError(SocketPlaceError):
    """Another daemon serves there."""


class SocketPlace:
    """A socket path under a lock file, so that a second daemon cannot take it over unseen.

    A gRPC server replaces a socket that is there, and deletes it when it ends, whoever listens on it now.
    """

    def __init__(self, path: Path, group: str = "") -> None:
        self.path = path
        self.group = group
        """Whose members may connect; empty: only the daemon's user and root."""
        self._lock = -1

    @property
    def address(self) -> str:
        """The address as gRPC wants it."""
        return f"unix:{self.path}"

    def take(self) -> None:
        """Lock the path and remove a socket that a dead daemon left there.

        Raises:
            SocketTakenError: another daemon has it.
            SocketPlaceError: it cannot be written, or it is no place for a socket.
        """
        length = len(os.fsencode(self.path))
        if length > MAX_PATH:
            raise SocketPlaceError(
                f"{self.path}: a socket path has at most {MAX_PATH} bytes, this one has {length}: "
                "choose a shorter one with --listen unix:PATH or $RBLNTOP_RUNTIME_DIR"
            )
        try:
            make_private(self.path.parent.resolve())
            self._lock = os.open(
                self.path.with_name(f"{self.path.name}.lock"),
                os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW,
                0o600,
            )
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._lock, 32, 0).decode(errors="replace").strip()
            self.release()
            raise SocketTakenError(
                f"another rblntopd (pid {holder or 'unknown'}) already serves {self.path}"
            ) from None
        except OSError as error:
            self.release()
            raise SocketPlaceError(f"cannot serve {self.path}: {error.strerror or error}") from error
        os.truncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)
        self._remove_socket()

    def set_mode(self) -> None:
        """Let the owner in, and the group if there is one: never what the umask happens to say.

        Raises:
            SocketPlaceError: there is no such group, or the socket cannot be given to it.
        """
        mode = 0o600
        try:
            if self.group:
                os.chown(self.path, -1, grp.getgrnam(self.group).gr_gid)
                mode = 0o660
            os.chmod(self.path, mode)
        except KeyError:
            raise SocketPlaceError(f"{self.path}: there is no group {self.group}") from None
        except PermissionError as error:
            raise SocketPlaceError(
                f"{self.path} cannot be given to group {self.group}: make the daemon's user a member of it"
            ) from error
        except OSError as error:
            raise SocketPlaceError(f"{self.path}: {error.strerror or error}") from error

    def release(self) -> None:
        """Remove the socket and let the next daemon in. The lock file stays: it is the lock."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _remove_socket(self) -> None:
        try:
            found = os.lstat(self.path)
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(found.st_mode):
            self.release()
            raise SocketPlaceError(f"{self.path} is there and is not a socket: move it away")
        try:
            os.unlink(self.path)
        except OSError as error:
            self.release()
            raise SocketPlaceError(f"cannot remove the old socket {self.path}: {error.strerror}") from error


def is_served(path: Path) -> bool:
    """Whether a daemon holds the lock of ``path``."""
    try:
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
