"""What can go wrong between a client and the daemon, worded for the person who reads it."""

from __future__ import annotations

from collections.abc import Mapping


class ClientError(Exception):
    """Any failure of a call; ``str()`` is a complete message."""


class AddressError(ClientError):
    """An address that cannot be one."""


class UnreachableError(ClientError):
    """No daemon answers at the address."""

    def __init__(self, address: str, cause: str, *, hint: str | None = None, timed_out: bool = False):
        self.address = address
        self.cause = cause
        self.timed_out = timed_out
        """The question was put and not answered in time: what it asked for may have been done."""
        self.hint = hint if hint is not None else HOW_TO_START
        super().__init__(f"no daemon answers at {address}: {cause}\n{self.hint}".rstrip())


class RefusedError(ClientError):
    """The daemon or the engine answered, and said no."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "UNKNOWN",
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
    ):
        self.message = message
        self.code = code
        """Canonical gRPC code, such as ``INVALID_ARGUMENT``."""
        self.reason = reason
        """``google.rpc.ErrorInfo.reason`` of domain rblntop; empty if the answer had none."""
        self.metadata = dict(metadata or {})
        super().__init__(message)


class EngineNotFoundError(RefusedError):
    """There is no engine of that name; the message lists those there are."""


HOW_TO_START = (
    "Start one with `rblntopd serve`, or start engine and daemon with `rblntopd run -- vllm serve ...`."
)
NOT_ALLOWED = (
    "The socket is another user's: call this as the user of the daemon, as root, or as one of its group: "
    "the service's are rblntop (looks) and rblntop-admin (changes limits)."
)
NOT_TAKEN = (
    "It takes a certificate that the daemon's client_ca has signed ($RBLNTOP_TLS_CERT and $RBLNTOP_TLS_KEY), "
    "and $RBLNTOP_TLS_CA must have signed the daemon's, for the name in the address."
)
