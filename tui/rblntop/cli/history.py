"""``rblnctl history``: figures of the past."""

from __future__ import annotations

import click

from rblntop.cli.duration_type import Duration
from rblntop.cli.options import chosen_engine, connect_option, engine_options, json_option

DEFAULT_POINTS = 30


@click.command()
@engine_options
@click.option("--last", type=Duration(), default="10m", show_default=True, help="How far back, up to 1d.")
@click.option("--interval", type=Duration(), help="Length of a row: 1s, 10s, 1m, ...")
@click.option("--points", type=click.IntRange(1, 8640), metavar="N", help="At most N rows.  [default: 30]")
@click.option(
    "--column", "columns", multiple=True, metavar="NAME", help="Only this column; may be given several times."
)
@connect_option
@json_option
def history(
    engine: str | None,
    engine_option: str | None,
    last: float,
    interval: float | None,
    points: int | None,
    columns: tuple[str, ...],
    connect: str | None,
    as_json: bool,
) -> None:
    """Show the past of one engine: by the second for an hour, by ten seconds for a day.

    It goes on when the engine is restarted. With --json every column is there, unless some are named.
    """
    import asyncio

    from rblntop.blocks.history_table import SHORT, history_table
    from rblntop.client import Client
    from rblntop.client.telemetry_requests import HISTORY_COLUMNS
    from rblntop.model.telemetry_from_proto import history_from_proto
    from rblntop_api.v1 import telemetry_pb2

    if interval is not None and points is not None:
        raise click.UsageError("--interval or --points: give one of them.")
    for name in columns:
        if name not in HISTORY_COLUMNS:
            raise click.UsageError(f"--column {name}: there are {', '.join(HISTORY_COLUMNS)}.")
    if interval is None and points is None:
        points = DEFAULT_POINTS
    asked = columns or (() if as_json else SHORT)

    async def ask() -> telemetry_pb2.GetHistoryResponse:
        async with Client(connect) as client:
            return await client.get_history(
                chosen_engine(engine, engine_option),
                columns=asked,
                last_s=last,
                interval_s=interval,
                max_points=points,
            )

    answer = asyncio.run(ask())
    if as_json:
        from rblntop.cli.json_output import print_json

        print_json(answer)
        return
    for line in history_table(history_from_proto(answer)):
        click.echo(line)
