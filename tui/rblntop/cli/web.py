"""``rblntop --web``."""

from __future__ import annotations

from pathlib import Path

import click


def serve_web(connect: str | None, engine: str, *, readonly: bool, recording: Path | None, port: int) -> int:
    """Serve the dashboard to browsers of this machine until interrupted."""
    try:
        from rblntop.web.server import WebServer, listen
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"--web needs {error.name}, which is not installed: pip install 'rblntop[web]'"
        ) from error
    arguments: list[str] = []
    for option, value in (("--connect", connect), ("--engine", engine), ("--replay", recording)):
        if value:
            arguments += [option, str(value)]
    if readonly:
        arguments.append("--readonly")
    try:
        listener = listen(port)
    except OSError as error:
        raise click.ClickException(f"port {port} of 127.0.0.1: {error.strerror or error}") from error
    server = WebServer(arguments, listener)
    click.echo("Open this on this machine, and show it to nobody: who has it can change limits.")
    click.echo(f"  {server.link}")
    click.echo("From another one: ssh -L PORT:127.0.0.1:PORT here, and the same link. Ctrl-C ends it.")
    server.run()
    return 0
