"""rblnctl: the command line of rblntop."""

from __future__ import annotations

import sys

import click

from rblntop.cli.engines import engines
from rblntop.cli.export import export
from rblntop.cli.options import connect_option
from rblntop.cli.record import record
from rblntop.cli.run import run_command
from rblntop.cli.set_limits import set_limits
from rblntop.cli.show import show
from rblntop.cli.steps import steps
from rblntop.cli.watch import watch


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="rblntop", prog_name="rblnctl")
@connect_option
def rblnctl(connect: str | None) -> None:
    """Watch and steer vLLM engines on RBLN NPUs.

    Exit codes: 0 done, 1 refused or failed, 2 usage, 3 daemon unreachable.
    """


for command in (engines, show, watch, steps, set_limits, record, export):
    rblnctl.add_command(command)


def main() -> None:
    """Entry point of ``rblnctl``."""
    sys.exit(run_command(rblnctl))


if __name__ == "__main__":
    main()
