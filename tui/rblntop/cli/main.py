"""rblntop: the dashboard."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rblntop.cli.demo import demo
from rblntop.cli.options import Seconds, json_option
from rblntop.cli.run import run_command

if TYPE_CHECKING:
    from rblntop.source import SnapshotSource


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rblntop", prog_name="rblntop")
@click.option(
    "--connect",
    "connects",
    multiple=True,
    metavar="ADDRESS",
    help="Daemon to use: unix:/path or host:port. Given several times, all are on one screen. "
    "Default: $RBLNTOP_ADDRESS, else the local daemon.",
)
@click.option("--engine", default="", metavar="NAME", help="Engine to show first: name or instance id.")
@click.option("--once", is_flag=True, help="Print the screen once, as plain text.")
@json_option
@click.option("--readonly", is_flag=True, help="Take no changes.")
@click.option(
    "--replay",
    "recording",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Play a recording (see rblnctl record); with --once print its last snapshot.",
)
@click.option("--web", is_flag=True, help="Serve the dashboard to a browser on this machine.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8066,
    show_default=True,
    help="Port of --web on 127.0.0.1; 0: any free one.",
)
@click.option(
    "--interval",
    type=Seconds(0.1, 60.0),
    metavar="SECONDS",
    help="With --json: a line every so often, 0.1 to 60, until interrupted.",
)
@click.pass_context
def rblntop(
    context: click.Context,
    connects: tuple[str, ...],
    engine: str,
    once: bool,
    as_json: bool,
    readonly: bool,
    recording: Path | None,
    web: bool,
    port: int,
    interval: float | None,
) -> int:
    """Show engines live, per group, and change their limits."""
    if context.invoked_subcommand is not None:
        return 0
    if recording is not None and (connects or engine):
        raise click.UsageError("--replay plays one engine, without a daemon: no --connect and no --engine.")
    if interval is not None and not (as_json and recording is None):
        raise click.UsageError("--interval goes with --json, and not with --replay.")
    if len(connects) > 1 and (once or as_json or web or interval is not None):
        raise click.UsageError("Only the dashboard in a terminal shows several daemons: give --connect once.")
    connect = connects[0] if connects else None
    if web:
        from rblntop.cli.web import serve_web

        return serve_web(connect, engine, readonly=readonly, recording=recording, port=port)
    if recording is not None and (once or as_json):
        from rblntop.cli.replay import replay_once

        replay_once(recording, as_json)
        return 0
    if interval is not None:
        from rblntop.cli.watch import follow_snapshots

        follow_snapshots(connect, engine, interval_s=interval, as_json=True, strip_cells=120)
        return 0
    if once or as_json:
        from rblntop.cli.show import show_once

        show_once(connect, engine, as_json)
        return 0
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise click.UsageError(
            "The dashboard needs a terminal. Into a pipe or a file: rblntop --once or --json."
        )
    if recording is not None:
        from rblntop.cli.replay import replay

        return replay(recording)
    from rblntop.app.app import RblntopApp
    from rblntop.settings import SettingsFile, settings_path

    settings = SettingsFile(settings_path(os.environ))
    app = RblntopApp(_source(connects), engine=engine, readonly=readonly, settings_file=settings)
    code = app.run()
    if app.refusal:
        raise click.ClickException(app.refusal)
    return code or app.return_code or 0


def _source(connects: tuple[str, ...]) -> SnapshotSource:
    """Of the daemons at these addresses, or of the local one."""
    from rblntop.client.address import find_address
    from rblntop.client.errors import UnreachableError
    from rblntop.source.live import LiveSource
    from rblntop.source.several import SeveralSources

    addresses = tuple(dict.fromkeys(connects))
    for address in addresses or (None,):
        # A daemon may still come; an address that cannot be one, given or in the environment, never answers.
        with suppress(UnreachableError):
            find_address(address)
    if len(addresses) < 2:
        return LiveSource(addresses[0] if addresses else None)
    return SeveralSources([LiveSource(address) for address in addresses], addresses)


rblntop.add_command(demo)


def main() -> None:
    """Entry point of ``rblntop``."""
    sys.exit(run_command(rblntop))


if __name__ == "__main__":
    main()
