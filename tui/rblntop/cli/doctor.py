"""``rblnctl doctor``: why an engine is not watched, and what to do about it."""

from __future__ import annotations

import click

from rblntop.cli.exit_codes import DONE, FAILED
from rblntop.cli.options import connect_option


@click.command()
@click.option(
    "--python",
    metavar="PATH",
    type=click.Path(exists=True, dir_okay=False),
    help="Ask this Python as well, whether an engine that you start with it would have the plugin.",
)
@click.option(
    "--pid",
    type=click.IntRange(min=1),
    metavar="PID",
    help="Of the vLLM processes, look only at the command that this one belongs to.",
)
@connect_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON: the number of problems, and all findings.")
def doctor(python: str | None, pid: int | None, connect: str | None, as_json: bool) -> int:
    """Look at engines, runtime directory, rings, daemon and devices, and say what stands in the way.

    Each line is ok, a note or a PROBLEM, with the command that mends it. Nothing is changed. Exit code 0: no
    problem.
    """
    from rblntop.doctor.gather import gather
    from rblntop.doctor.judge import has_problem, judge
    from rblntop.doctor.report import as_json as json_report
    from rblntop.doctor.report import as_lines

    findings = judge(gather(python=python, pid=pid, connect=connect))
    click.echo(json_report(findings) if as_json else "\n".join(as_lines(findings)))
    return FAILED if has_problem(findings) else DONE
