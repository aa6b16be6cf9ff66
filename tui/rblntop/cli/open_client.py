"""Whom a command speaks to: the daemon, or the engines themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import click

if TYPE_CHECKING:
    from rblntop.cli.direct_client import DirectClient
    from rblntop.client import Client

AnyClient: TypeAlias = "Client | DirectClient"


def open_client(connect: str | None, direct: bool = False) -> AnyClient:
    """A client of the daemon, or with ``--direct`` one that needs none."""
    if not direct:
        from rblntop.client import Client

        return Client(connect)
    if connect:
        raise click.UsageError("--direct speaks to the engine itself: it goes without --connect.")
    from rblntop.cli.direct_client import DirectClient

    return DirectClient()
