"""``rblntop demo``: an engine without a device, in the dashboard."""

from __future__ import annotations

import click

from rblntop.cli.options import Seconds
from rblntop.demo.errors import DemoError
from rblntop.demo.scenarios import FIRST, SCENARIOS

ENGINES = ("sim", "vllm")


class DemoCommand(click.Command):
    """Lists the scenarios below the options."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The scenarios."""
        with formatter.section("Scenarios"):
            formatter.write_dl(list(SCENARIOS.items()))


@click.command(cls=DemoCommand)
@click.option(
    "--scenario",
    type=click.Choice(list(SCENARIOS)),
    metavar="NAME",
    help=f"What to show.  [default: {FIRST}]",
)
@click.option("--list", "as_list", is_flag=True, help="List the scenarios.")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="sim",
    show_default=True,
    help="sim: our model of the scheduler. vllm: the real vLLM and vllm-rbln on a simulated NPU, where they "
    "are installed: for $RBLNTOP_ENGINE_PYTHON, else for this Python.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the requests that come.")
@click.option(
    "--seconds",
    type=Seconds(min=0),
    default=5.0,
    show_default=True,
    help="Without a terminal: how long to run before the screen is printed.",
)
def demo(scenario: str | None, as_list: bool, engine: str, seed: int, seconds: float) -> int:
    """Show an engine that needs no NPU, no vLLM and no root.

    Starts an engine and a daemon of their own, opens the dashboard on them, and stops everything when it is
    left. Limits can be changed as on a real engine.
    """
    if as_list:
        width = max(map(len, SCENARIOS))
        for name, summary in SCENARIOS.items():
            click.echo(f"{name:<{width}}  {summary}")
        return 0
    if engine == "vllm" and scenario is not None:
        raise click.UsageError("The scenarios are the sim engine's: leave --scenario or --engine vllm out.")
    try:
        if engine == "vllm":
            from rblntop.demo.vllm import run_vllm

            return run_vllm(seed, seconds)
        from rblntop.demo.sim import run_sim

        return run_sim(scenario or FIRST, seed, seconds)
    except DemoError as error:
        raise click.ClickException(str(error)) from error
