"""What a connection over TCP takes: our certificate and its key, and the CA that signed the daemon's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import grpc

from rblntop.client.errors import AddressError

#: Variable of the environment, and name in ``$XDG_CONFIG_HOME/rblntop/tls``.
CA = ("RBLNTOP_TLS_CA", "ca.pem")
CERTIFICATE = ("RBLNTOP_TLS_CERT", "client.pem")
KEY = ("RBLNTOP_TLS_KEY", "client.key")


def credentials(environment: Mapping[str, str] | None = None) -> grpc.ChannelCredentials:
    """Credentials from the files that the environment names, else from those of the user.

    Raises:
        AddressError: a file is not there or cannot be read.
    """
    environment = os.environ if environment is None else environment
    ca, certificate, key = (_read(environment, *one) for one in (CA, CERTIFICATE, KEY))
    return grpc.ssl_channel_credentials(ca, key, certificate)


def _read(environment: Mapping[str, str], variable: str, name: str) -> bytes:
    config = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    path = Path(environment.get(variable) or f"{config}/rblntop/tls/{name}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise AddressError(f"tls:// takes certificates: ${variable} ({path}): {error.strerror}") from error
