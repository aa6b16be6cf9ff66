"""The command line of the daemon. Imports what a command needs only when it runs: ``--help`` is quick."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rblntopd.config.keys import BY_NAME, LOG_LEVELS

if TYPE_CHECKING:
    from rblntopd.config.config import Config

#: Exit code of a command line or a configuration that is not allowed.
USAGE = 2

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

#: Every option that is a key of the configuration: what is allowed is checked there, with the file's values.
CONFIG_OPTIONS = {
    "runtime_dir": ("DIR", "Where engines put their rings.  [default: /run/rblntop, the session's]"),
    "state_dir": ("DIR", "Where to keep the audit log.  [default: /var/lib/rblntop, the user's]"),
    "listen": ("unix:PATH", "The operators' socket.  [default: in the runtime directory]"),
    "write_deadline_s": ("SECONDS", "Drop a subscriber that takes nothing for so long.  [default: 10]"),
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rblntop", prog_name="rblntopd")
@click.option("--log-level", type=click.Choice(LOG_LEVELS), help="To standard error.  [default: info]")
@click.pass_context
def main(context: click.Context, log_level: str | None) -> None:
    """Watch and steer vLLM engines on RBLN NPUs: the daemon, and how to start an engine with the probe."""
    context.obj = log_level


def config_options(command: Decorated) -> Decorated:
    """The options that say what the daemon is to do."""
    command = click.option(
        "--reapply-limits/--no-reapply-limits",
        default=None,
        help="After an engine's restart set the limits again that it had. Else they are its own again.",
    )(command)
    for name, (metavar, text) in reversed(CONFIG_OPTIONS.items()):
        command = click.option(BY_NAME[name].option, name, metavar=metavar, help=text)(command)
    return click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Configuration.  [default: $RBLNTOPD_CONFIG, /etc/rblntop/rblntopd.toml, the user's]",
    )(command)


def _loaded(context: click.Context, config_file: Path | None, options: dict[str, Any]) -> Config:
    """The configuration; ends the process with 2 where it is not allowed."""
    from rblntopd.config.config import load
    from rblntopd.config.errors import ConfigError

    try:
        return load({**options, "log_level": context.obj}, path=config_file)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"rblntopd: {problem}", err=True)
        sys.exit(USAGE)


@main.command(short_help="Find engines, and serve them over gRPC.")
@config_options
@click.option(
    "--exit-with-pid", type=int, metavar="PID", help="End some seconds after this process and all engines."
)
@click.pass_context
def serve(
    context: click.Context, /, config_file: Path | None, exit_with_pid: int | None, **options: Any
) -> None:
    """Find engines, read their flight recorders, and serve them over gRPC.

    Changes of limits go through here as well, each with a line in the audit log.
    """
    import faulthandler
    import gc

    config = _loaded(context, config_file, options)
    from rblntopd.config.config import load
    from rblntopd.server.log_output import log_to
    from rblntopd.server.socket_place import SocketPlace, SocketPlaceError
    from rblntopd.server.turn import take_turn

    # The watchdog ends a daemon that hangs with SIGABRT: where it hung is in the log then.
    faulthandler.enable()
    log_to(config.values["log_level"])
    try:
        place = SocketPlace(config.socket, config.values["operator_group"])
        followed = None
        if exit_with_pid is not None:
            # psutil takes its time to import, and the service needs none of it.
            from rblntopd.server.followed_process import FollowedProcess

            followed = FollowedProcess(exit_with_pid)
        if not take_turn(place, followed):
            return
        # Only now: grpc takes a quarter of a second to import, and 30 MB while a daemon waits.
        # What is imported stays: looking for garbage in it would take some 15 ms of the start.
        gc.disable()
        from rblntopd.server import daemon

        reload = partial(load, {**options, "log_level": context.obj}, path=config_file)
        settings = daemon.Settings(config=config, place=place, followed=followed, reload=reload)
        daemon.run(lambda: daemon.serve(settings))
    except SocketPlaceError as error:
        click.echo(f"rblntopd: {error}", err=True)
        sys.exit(1)


@main.command("check-config", short_help="Print the configuration, and where each value came from.")
@config_options
@click.pass_context
def check_config(context: click.Context, /, config_file: Path | None, **options: Any) -> None:
    """Print what `rblntopd serve` would do, as TOML, each value with where it came from.

    Whatever is not allowed is an error, and the exit code 2.
    """
    from rblntopd.config.report import report

    config = _loaded(context, config_file, options)
    click.echo(report(config))
    if config.tcp is not None:
        from rblntopd.server.socket_place import SocketPlaceError
        from rblntopd.server.tls import read_certificates

        try:
            read_certificates(config.tcp)
        except SocketPlaceError as error:
            click.echo(f"rblntopd: {error}", err=True)
            sys.exit(USAGE)


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
