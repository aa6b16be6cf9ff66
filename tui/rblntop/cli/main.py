"""rblntop: the dashboard."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rblntop.cli.demo import demo
from rblntop.cli.options import Seconds, connect_option, json_option
from rblntop.cli.run import run_command


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rblntop", prog_name="rblntop")
@connect_option
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
    connect: str | None,
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
    if recording is not None and (connect or engine):
        raise click.UsageError("--replay plays one engine, without a daemon: no --connect and no --engine.")
    if interval is not None and not (as_json and recording is None):
        raise click.UsageError("--interval goes with --json, and not with --replay.")
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
    from contextlib import suppress

    from rblntop.app.app import RblntopApp
    from rblntop.client.address import find_address
    from rblntop.client.errors import UnreachableError
    from rblntop.source.live import LiveSource

    # A daemon may still come; an address that cannot be one, given or in the environment, never answers.
    with suppress(UnreachableError):
        find_address(connect)
    app = RblntopApp(LiveSource(connect), engine=engine, readonly=readonly)
    code = app.run()
    if app.refusal:
        raise click.ClickException(app.refusal)
    return code or app.return_code or 0


rblntop.add_command(demo)


def main() -> None:
    """Entry point of ``rblntop``."""
    sys.exit(run_command(rblntop))


if __name__ == "__main__":
    main()
