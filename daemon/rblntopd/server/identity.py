"""Tells clients who they are: gRPC cannot see who is at the other end of a unix socket, a plain socket can.

A client connects, gets one line of JSON with a token, and sends that with its call. A token is good for a
minute and for this daemon alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pwd
import secrets
import socket
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rblntopd.audit.caller import UNVERIFIED, Caller, user
from rblntopd.server.socket_place import SocketPlace, SocketPlaceError

logger = logging.getLogger(__name__)

METADATA_KEY = "rblntop-identity"
SOCKET_NAME = "rblntopd-id.sock"
EXPIRES_S = 60.0
#: A user who asks for more loses the oldest.
MAX_TOKENS_OF_USER = 256
_PEER = struct.Struct("3i")


@dataclass(frozen=True, slots=True)
class _Token:
    caller: Caller
    expires_s: float


class Identities:
    """The tokens that were given out."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._tokens: dict[int, dict[str, _Token]] = {}
        """By uid, oldest first."""

    def give(self, uid: int, name: str) -> str:
        """A new token for a user."""
        now_s = self._clock_s()
        known = self._tokens.setdefault(uid, {})
        for old in list(known):
            if known[old].expires_s > now_s and len(known) < MAX_TOKENS_OF_USER:
                break
            del known[old]
        token = secrets.token_urlsafe(24)
        known[token] = _Token(user(uid, name), now_s + EXPIRES_S)
        return token

    def caller(self, metadata: Iterable[tuple[str, str | bytes]] | None) -> Caller:
        """Who a call is from. One whose token is not known is as one without."""
        sent = next((value for key, value in metadata or () if key == METADATA_KEY), None)
        for tokens in self._tokens.values():
            found = tokens.get(sent) if isinstance(sent, str) else None
            if found is not None and found.expires_s > self._clock_s():
                return found.caller
        return UNVERIFIED


class IdentitySocket:
    """The plain socket beside the operators', with the same rights."""

    def __init__(self, place: SocketPlace, identities: Identities) -> None:
        self._place = place
        self._identities = identities
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. Where that is not possible all calls are unverified, which is no reason not to serve."""
        # Nobody may come in between the bind and the chmod.
        before = os.umask(0o177)
        try:
            self._place.take()
            self._server = await asyncio.start_unix_server(self._answer, self._place.path)
            self._place.set_mode()
        except (OSError, SocketPlaceError) as error:
            logger.warning("callers cannot be verified: %s", error)
        finally:
            os.umask(before)

    def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            self._place.path.unlink(missing_ok=True)
        self._place.release()

    async def _answer(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket = writer.get_extra_info("socket")
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        _, uid, _ = _PEER.unpack(raw)
        # A host may ask its directory service, over the network.
        name = await asyncio.to_thread(user_name, uid)
        answer = {
            "token": self._identities.give(uid, name),
            "uid": uid,
            "user": name,
            "expires_s": EXPIRES_S,
        }
        # It fits into the socket's buffer, so a client that does not read is not waited for.
        writer.write(json.dumps(answer).encode() + b"\n")
        writer.close()


def user_name(uid: int) -> str:
    """The user's name; empty where the host knows none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""
