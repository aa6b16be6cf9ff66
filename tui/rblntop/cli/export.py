"""``rblnctl export``: steps for other tools."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from rblntop.cli.duration_type import Duration
from rblntop.cli.options import chosen_engine, connect_option, engine_options
from rblntop.cli.past_options import past_options, past_steps

if TYPE_CHECKING:
    from rblntop.history import History

LIVE_S = 10.0
LONGEST_LIVE_S = 600.0
"""The steps of a live engine are kept in memory until they are written."""


@click.command(short_help="Write steps for Perfetto, as CSV or as NDJSON.")
@engine_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["perfetto", "csv", "ndjson"]),
    required=True,
    help="perfetto: a trace for ui.perfetto.dev. csv: a row a step. ndjson: a JSON object a line.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Where to; - is stdout. A name that ends in .gz is compressed.",
)
@past_options
@click.option("--for", "for_s", type=Duration(), help="Of a live engine: so long, from now on. Default: 10s.")
@connect_option
def export(
    engine: str | None,
    engine_option: str | None,
    form: str,
    output: Path,
    ring: Path | None,
    recording: Path | None,
    for_s: float | None,
    connect: str | None,
) -> None:
    """Write the steps of a recording, of a ring file, or of a live engine for some seconds."""
    from rblntop.export.perfetto import write_perfetto
    from rblntop.export.tables import write_csv, write_ndjson

    name = chosen_engine(engine, engine_option)
    writers: dict[str, Callable[[History, TextIO], int]] = {
        "perfetto": write_perfetto,
        "csv": write_csv,
        "ndjson": write_ndjson,
    }
    if ring is not None or recording is not None:
        if name or connect or for_s is not None:
            raise click.UsageError("A file holds one engine and its time: give neither ENGINE nor --for.")
        source: AbstractContextManager[History] = past_steps(ring, recording)
    else:
        if for_s is not None and for_s > LONGEST_LIVE_S:
            raise click.UsageError(
                f"--for is at most {LONGEST_LIVE_S / 60:g}m of a live engine. Longer: `rblnctl record`, then "
                "`rblnctl export --recording FILE`."
            )
        source = nullcontext(_live(connect, name, LIVE_S if for_s is None else for_s))
    with source as history:
        with _output(output) as out:
            count = writers[form](history, out)
        for note in history.notes():
            click.echo(note, err=True)
    click.echo(f"{count:,} steps of {history.name} in {output}", err=True)
    if form == "perfetto" and str(output) != "-":
        click.echo("Open it at https://ui.perfetto.dev (it stays in the browser).", err=True)


@contextmanager
def _output(path: Path) -> Iterator[TextIO]:
    """The file, which is there as a whole or not at all."""
    if str(path) == "-":
        yield sys.stdout
        return
    import os

    partial = path.with_name(f".{path.name}.partial")
    try:
        try:
            with _open(partial, packed=path.suffix == ".gz") as out:
                yield out
            os.replace(partial, path)
        except OSError as error:
            raise click.ClickException(f"{path}: {error.strerror or error}") from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _open(path: Path, *, packed: bool) -> TextIO:
    if packed:
        import gzip

        return gzip.open(path, "wt", encoding="utf-8", newline="")
    return open(path, "w", encoding="utf-8", newline="")


def _live(connect: str | None, engine: str, for_s: float) -> History:
    """What the engine does from now on; Ctrl-C ends it early."""
    import asyncio
    import signal
    import time
    from contextlib import aclosing

    from rblntop.client import Client
    from rblntop.history import History
    from rblntop.recording.step_block import StepRun
    from rblntop_api.v1 import engine_pb2

    runs: list[StepRun] = []

    async def collect(client: Client, who: engine_pb2.Engine) -> None:
        local = client.address.target.startswith("unix:")
        offset_ns = time.time_ns() - time.monotonic_ns() if local else 0
        async with aclosing(client.watch_steps(who.instance_id)) as stream:
            async for message in stream:
                if message.steps:
                    offset_ns = offset_ns or time.time_ns() - message.steps[-1].completed_ns
                    runs.append(StepRun(list(message.steps), message.missed, offset_ns, who))

    async def ask() -> str:
        async with Client(connect) as client:
            snapshot = await client.get_snapshot(engine, strip_cells=0)
            task = asyncio.ensure_future(collect(client, snapshot.engine))
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
            await asyncio.wait({task}, timeout=for_s)
            task.cancel()
            (ended,) = await asyncio.gather(task, return_exceptions=True)
            if isinstance(ended, Exception) and not runs:
                raise ended
            return snapshot.engine.name

    return History(asyncio.run(ask()), iter(runs))
