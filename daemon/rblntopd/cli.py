"""The command line of the daemon. Imports what a command needs only when it runs: ``--help`` is quick."""

from __future__ import annotations

import sys
from pathlib import Path

import click

LOG_LEVELS = ("debug", "info", "warning", "error")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rblntop", prog_name="rblntopd")
@click.option(
    "--log-level", type=click.Choice(LOG_LEVELS), default="info", show_default=True, help="To standard error."
)
def main(log_level: str) -> None:
    """Watch and steer vLLM engines on RBLN NPUs: the daemon, and how to start an engine with the probe."""
    import logging

    logging.basicConfig(
        level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )


@main.command(short_help="Find engines, and serve them over gRPC.")
@click.option(
    "--runtime-dir",
    type=click.Path(path_type=Path),
    help="Where engines put their rings.  [default: $RBLNTOP_RUNTIME_DIR, /run/rblntop, the session's]",
)
@click.option("--listen", metavar="unix:PATH", help="Socket to serve.  [default: in the runtime directory]")
@click.option(
    "--exit-with-pid", type=int, metavar="PID", help="End some seconds after this process and all engines."
)
@click.option(
    "--write-deadline",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Drop a subscriber that takes nothing for so long.",
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path),
    help="Where to keep the audit log.  [default: $RBLNTOP_STATE_DIR, /var/lib/rblntop, the user's]",
)
@click.option(
    "--reapply-limits",
    is_flag=True,
    help="After an engine's restart set the limits again that were kept on it. Else they are its own again.",
)
def serve(
    runtime_dir: Path | None,
    listen: str | None,
    exit_with_pid: int | None,
    write_deadline: float,
    state_dir: Path | None,
    reapply_limits: bool,
) -> None:
    """Find engines, read their flight recorders, and serve them over gRPC.

    Changes of limits go through here as well, each with a line in the audit log.
    """
    from rblntopd.audit.state_dir import state_dir as default_state_dir
    from rblntopd.probe.runtime_dir import runtime_dir as default_runtime_dir
    from rblntopd.server.followed_process import FollowedProcess
    from rblntopd.server.socket_place import (
        OPERATOR_GROUP,
        VIEWER_GROUP,
        SocketPlace,
        SocketPlaceError,
        default_socket,
        service_group,
        socket_path,
        viewer_socket,
    )
    from rblntopd.server.turn import take_turn

    runtime = (runtime_dir or default_runtime_dir()).absolute()
    try:
        path = socket_path(listen) if listen else default_socket(runtime)
        place = SocketPlace(path, service_group(path, OPERATOR_GROUP))
        viewers = SocketPlace(viewer_socket(path), service_group(path, VIEWER_GROUP))
        followed = None if exit_with_pid is None else FollowedProcess(exit_with_pid)
        if not take_turn(place, followed):
            return
        # Only now: grpc takes a quarter of a second to import, and 30 MB while a daemon waits.
        from rblntopd.server import daemon

        settings = daemon.Settings(
            runtime=runtime,
            place=place,
            viewers=viewers,
            state=(state_dir or default_state_dir()).absolute(),
            followed=followed,
            write_deadline_s=write_deadline,
            reapply_limits=reapply_limits,
        )
        daemon.run(lambda: daemon.serve(settings))
    except SocketPlaceError as error:
        click.echo(f"rblntopd: {error}", err=True)
        sys.exit(1)


@main.command(
    # From the first word that is no option of ours everything is the engine's, its --help included.
    context_settings={"allow_interspersed_args": False},
    short_help="Become an engine's command, with probe and daemon.",
)
@click.option("--name", help="Name of the engine.  [default: model and data-parallel rank]")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(name: str | None, command: tuple[str, ...]) -> None:
    """Become COMMAND, an engine, with the probe on and a daemon beside it.

    For example: rblntopd run -- vllm serve MODEL --pipeline-parallel-size 2
    """
    from rblntopd.engine_command import EngineCommandError, become

    try:
        become(name, command)
    except EngineCommandError as error:
        click.echo(f"rblntopd run: {error}", err=True)
        sys.exit(error.exit_code)


@main.group()
def probe() -> None:
    """The part that runs inside the engine."""


@probe.command()
@click.argument("directory", type=click.Path(path_type=Path))
def export(directory: Path) -> None:
    """Write the probe alone into DIRECTORY, for an engine's PYTHONPATH."""
    from rblntopd.probe_export import export_probe

    try:
        export_probe(directory)
    except OSError as error:
        click.echo(f"rblntopd probe export: {directory}: {error.strerror or error}", err=True)
        sys.exit(1)
    click.echo(f"put {directory.absolute()} in front of the engine's PYTHONPATH")


if __name__ == "__main__":
    main()
