"""How we hold a connection: quick to notice a dead daemon, quick to find a new one."""

from __future__ import annotations

import grpc
import grpc.aio

from rblntop.client.address import Address
from rblntop.client.certificates import credentials

KEEPALIVE_MS = 20_000
PING_TIMEOUT_MS = 5_000
MAX_MESSAGE_BYTES = 64 * 1024 * 1024

OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", PING_TIMEOUT_MS),
    # Without it grpc core waits a minute for the answer to a ping, whatever keepalive_timeout_ms says.
    ("grpc.http2.ping_timeout_ms", PING_TIMEOUT_MS),
    ("grpc.http2.max_pings_without_data", 0),
    # Our own back-off decides; the channel's (up to two minutes) would hide that the daemon is back.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # How long grpc core gives one attempt to connect, whatever its name says. A host whose engine takes every
    # core may need seconds to answer.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.enable_http_proxy", 0),
)


def open_channel(address: Address) -> grpc.aio.Channel:
    """A channel to the daemon; it connects with the first call.

    Raises:
        AddressError: it takes certificates, and they are not there.
    """
    if address.tls:
        return grpc.aio.secure_channel(address.target, credentials(), options=list(OPTIONS))
    return grpc.aio.insecure_channel(address.target, options=list(OPTIONS))


def open_blocking_channel(address: Address) -> grpc.Channel:
    """The same for callers without an event loop."""
    if address.tls:
        return grpc.secure_channel(address.target, credentials(), options=list(OPTIONS))
    return grpc.insecure_channel(address.target, options=list(OPTIONS))
