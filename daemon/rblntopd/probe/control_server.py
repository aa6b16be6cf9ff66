"""The probe's control socket: answers fixed-size questions from processes that may ask."""

from __future__ import annotations

import os
import select
import socket
import stat
import struct
from collections.abc import Callable
from pathlib import Path

from rblntopd.probe import control_format as wire
from rblntopd.probe.control_format import Answer, Request, Status

#: sun_path holds 108 bytes with its terminator (unix(7)).
MAX_PATH = 107
MAX_CONNECTIONS = 8
SO_PEERGROUPS = 59
"""Supplementary groups of the peer (linux/socket.h); Python has no name for it."""

Handler = Callable[[Request], Answer]


class ControlServer:
    """A listening socket and its connections, all non-blocking.

    :meth:`serve` is called by whichever thread looks next, under the probe's lock; nothing here ever waits.
    """

    def __init__(self, path: Path, listener: socket.socket) -> None:
        self.path = path
        self._listener = listener
        self._connections: dict[int, socket.socket] = {}
        # Not select.poll(), which refuses to be used by two threads at once.
        self._poll = select.epoll()
        self._poll.register(listener, select.EPOLLIN)

    @classmethod
    def create(cls, path: Path) -> ControlServer:
        """Listen on ``path``; a socket left there by another process of the same name is replaced.

        Raises:
            OSError: the path is too long or the socket cannot be made.
        """
        if len(os.fsencode(path)) > MAX_PATH:
            raise OSError(f"control socket path {path} is longer than {MAX_PATH} bytes")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        try:
            path.unlink(missing_ok=True)
            listener.bind(os.fspath(path))
            shared = os.stat(path.parent).st_mode & stat.S_ISGID
            os.chmod(path, 0o660 if shared else 0o600)
            listener.listen(MAX_CONNECTIONS)
        except OSError:
            listener.close()
            raise
        return cls(path, listener)

    def ready(self, timeout_s: float) -> bool:
        """Whether something waits to be served, after ``timeout_s`` at most. Needs no lock."""
        return bool(self._poll.poll(timeout_s))

    def serve(self, handle: Handler) -> None:
        """Accept, read and answer whatever is there now."""
        for file, events in self._poll.poll(0):
            if file == self._listener.fileno():
                self._accept()
            elif not (events & select.EPOLLIN and self._answer(self._connections[file], handle)):
                self._drop(file)

    def abandon(self) -> None:
        """Close, but leave the path: another listener has it."""
        self._close()

    def close(self) -> None:
        """Stop listening, drop every connection and remove the path."""
        self._close()
        self.path.unlink(missing_ok=True)

    def close_in_child(self) -> None:
        """Close this process's copies after a fork: the parent goes on, and shares the poll set."""
        self._poll.close()
        self._listener.close()
        for connection in self._connections.values():
            connection.close()

    def _close(self) -> None:
        for file in list(self._connections):
            self._drop(file)
        self._poll.close()
        self._listener.close()

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        if len(self._connections) >= MAX_CONNECTIONS or not _may_ask(connection, self.path.parent):
            text = "too many connections" if len(self._connections) >= MAX_CONNECTIONS else "not permitted"
            _send(connection, Answer(Status.DENIED, 0, 0, 0, text))
            connection.close()
            return
        self._connections[connection.fileno()] = connection
        self._poll.register(connection, select.EPOLLIN)

    def _answer(self, connection: socket.socket, handle: Handler) -> bool:
        """Answer one message; false if the connection is of no more use."""
        try:
            data = connection.recv(wire.REQUEST.size + 1)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        try:
            request = wire.unpack_request(data)
        except wire.ProtocolError as error:
            return _send(connection, Answer(Status.MALFORMED, 0, 0, 0, str(error)))
        return _send(connection, handle(request))

    def _drop(self, file: int) -> None:
        self._poll.unregister(file)
        self._connections.pop(file).close()


def _send(connection: socket.socket, answer: Answer) -> bool:
    """Send without waiting; a peer that does not read its answers is dropped."""
    try:
        connection.send(wire.pack_answer(answer), socket.MSG_NOSIGNAL)
    except OSError:
        return False
    return True


def _may_ask(connection: socket.socket, directory: Path) -> bool:
    """Root, the engine's own user, and the group of a directory that root shares with the daemon."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, gid = struct.unpack("3i", credentials)
    if uid in (0, os.geteuid()):
        return True
    try:
        found = os.stat(directory)
    except OSError:
        return False
    if found.st_uid != 0 or not found.st_mode & stat.S_ISGID:
        return False
    return found.st_gid == gid or found.st_gid in _peer_groups(connection)


def _peer_groups(connection: socket.socket) -> tuple[int, ...]:
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, 4 * 1024)
    except OSError:
        return ()
    return struct.unpack(f"{len(raw) // 4}I", raw)
