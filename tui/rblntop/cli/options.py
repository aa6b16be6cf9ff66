"""Options that the commands share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Seconds(click.FloatRange):
    """A number of seconds within a range. NaN is within every range that click knows."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        return seconds


def _before_the_command(context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """The address given here, else the one given to the group: ``rblnctl --connect A show`` works as well."""
    while value is None and context.parent is not None:
        context = context.parent
        value = context.params.get("connect")
    return value


def _generation(context: click.Context, option: click.Parameter, value: int | None) -> int | None:
    if value is not None and not 0 <= value < 2**64:
        raise click.BadParameter(f"{value} is no generation", context, option)
    return value


#: Keys of ``click.Context.meta``: what the command can do, for the hint below an error.
CAN_GO_DIRECT = "rblntop.direct"
CHANGES_ENGINES = "rblntop.changes"


def _note(key: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    def note(context: click.Context, _option: click.Parameter, value: Any) -> Any:
        context.meta[key] = True
        return value

    return note


connect_option = click.option(
    "--connect",
    metavar="ADDRESS",
    callback=_before_the_command,
    help="Daemon to use: unix:/path or tls://host:port (docs/service.md says which certificates that takes). "
    "Default: $RBLNTOP_ADDRESS, else the local daemon.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON (the proto JSON mapping of rblntop.v1)."
)

direct_option = click.option(
    "--direct",
    is_flag=True,
    callback=_note(CAN_GO_DIRECT),
    help="Speak to the engine itself, without a daemon: as root or as the engine's user.",
)
reason_option = click.option(
    "--reason", default="", metavar="TEXT", callback=_note(CHANGES_ENGINES), help="Why, for the audit log."
)
expect_generation_option = click.option(
    "--expect-generation",
    type=int,
    metavar="N",
    callback=_generation,
    help="Refuse it if the limits are no longer at this generation (rblnctl show tells it).",
)
yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


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
