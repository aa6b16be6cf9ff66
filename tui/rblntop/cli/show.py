"""``rblnctl show``: one engine now, as a plain-text screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rblntop.cli.options import chosen_engine, connect_option, direct_option, engine_options, json_option

if TYPE_CHECKING:
    from rblntop.playback import Playback
    from rblntop_api.v1 import snapshot_pb2


@click.command()
@engine_options
@direct_option
@connect_option
@json_option
def show(
    engine: str | None, engine_option: str | None, direct: bool, connect: str | None, as_json: bool
) -> None:
    """Show one engine now: requests, pipeline, groups and limits."""
    show_once(connect, chosen_engine(engine, engine_option), as_json, direct=direct)


def show_once(
    connect: str | None, engine: str, as_json: bool, *, window_s: int = 10, direct: bool = False
) -> None:
    """Print one snapshot; also what ``rblntop --once`` does."""
    import asyncio

    from rblntop.cli.open_client import open_client

    async def ask() -> snapshot_pb2.Snapshot:
        async with open_client(connect, direct) as client:
            return await client.get_snapshot(engine)

    print_snapshot(asyncio.run(ask()), as_json, window_s=window_s)


def print_snapshot(
    message: snapshot_pb2.Snapshot, as_json: bool, *, window_s: int = 10, playback: Playback | None = None
) -> None:
    """Print a snapshot as a screen, or as JSON."""
    if as_json:
        from rblntop.cli.json_output import print_json

        print_json(message)
        return
    import shutil

    from rblntop.blocks.plain_screen import plain_screen
    from rblntop.model.from_proto import snapshot_from_proto

    width = shutil.get_terminal_size(fallback=(120, 36)).columns
    snapshot = snapshot_from_proto(message)
    for line in plain_screen(snapshot, width=width, window_s=window_s, playback=playback):
        click.echo(line)
