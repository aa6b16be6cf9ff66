"""One dashboard for one browser: what the web server starts. Talks over its pipes, not to a terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rblntop.cli.run import run_command


@click.command()
@click.option("--connect")
@click.option("--engine", default="")
@click.option("--readonly", is_flag=True)
@click.option("--replay", "recording", type=click.Path(path_type=Path))
def session(connect: str | None, engine: str, readonly: bool, recording: Path | None) -> int:
    """Run the dashboard."""
    if recording is not None:
        from rblntop.cli.replay import replay

        return replay(recording)
    from rblntop.app.app import RblntopApp
    from rblntop.source.live import LiveSource

    app = RblntopApp(LiveSource(connect), engine=engine, readonly=readonly)
    return app.run() or app.return_code or 0


if __name__ == "__main__":
    sys.exit(run_command(session))
