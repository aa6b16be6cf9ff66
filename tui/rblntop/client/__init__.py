"""The public client library: finds a daemon, calls it, and follows its streams.

    async with Client() as client:
        for engine in (await client.list_engines()).engines:
            print(engine.name, engine.max_num_seqs)

Without asyncio the same methods are in ``SyncClient``. Names are loaded on first use, because grpc takes
longer to import than most commands take to run.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rblntop.client.address import Address as Address
    from rblntop.client.address import find_address as find_address
    from rblntop.client.blocking import SyncClient as SyncClient
    from rblntop.client.connection import Client as Client
    from rblntop.client.errors import AddressError as AddressError
    from rblntop.client.errors import ClientError as ClientError
    from rblntop.client.errors import EngineNotFoundError as EngineNotFoundError
    from rblntop.client.errors import RefusedError as RefusedError
    from rblntop.client.errors import UnreachableError as UnreachableError
    from rblntop.client.reconnect import Backoff as Backoff
    from rblntop.client.reconnect import Disconnected as Disconnected
    from rblntop.client.unset import UNSET as UNSET

_HOME = {
    "Address": "address",
    "find_address": "address",
    "Client": "connection",
    "SyncClient": "blocking",
    "AddressError": "errors",
    "ClientError": "errors",
    "EngineNotFoundError": "errors",
    "RefusedError": "errors",
    "UnreachableError": "errors",
    "Backoff": "reconnect",
    "Disconnected": "reconnect",
    "UNSET": "unset",
}

__all__ = list(_HOME)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
