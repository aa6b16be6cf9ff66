"""Options that the commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


def _before_the_command(context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """The address given here, else the one given to the group: ``rblnctl --connect A show`` works as well."""
    if value is None and context.parent is not None:
        return context.parent.params.get("connect")
    return value


connect_option = click.option(
    "--connect",
    metavar="ADDRESS",
    callback=_before_the_command,
    help="Daemon to use: unix:/path or host:port. Default: $RBLNTOP_ADDRESS, else the local daemon.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON (the proto JSON mapping of rblntop.v1)."
)


class Seconds(click.FloatRange):
    """A time within bounds. ``nan`` is within any."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Seconds."""
        seconds = super().convert(value, param, ctx)
        if seconds != seconds:
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return seconds


def engine_options(command: Decorated) -> Decorated:
    """``[ENGINE]`` and ``--engine NAME``, which mean the same."""
    command = click.option(
        "--engine", "engine_option", metavar="NAME", help="Engine name or instance id, like ENGINE."
    )(command)
    return click.argument("engine", required=False)(command)


def chosen_engine(engine: str | None, engine_option: str | None) -> str:
    """The engine that was asked for; empty means the only one there is."""
    if engine and engine_option and engine != engine_option:
        raise click.UsageError(f"ENGINE is {engine!r} and --engine is {engine_option!r}: give one of them.")
    return engine or engine_option or ""
