"""``rblnctl record``: an engine, into a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rblntop.cli.duration_type import Duration
from rblntop.cli.options import chosen_engine, connect_option, engine_options, json_option
from rblntop.cli.size_type import Size

if TYPE_CHECKING:
    from rblntop.cli.terminal import ProgressLine
    from rblntop.recording.capture import Capture
    from rblntop.recording.recorder import Recorder


@click.command(short_help="Record one engine into a file.")
@engine_options
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Where to.",
)
@click.option("--for", "for_s", type=Duration(), help="End after so long, such as 10m. Default: with Ctrl-C.")
@click.option(
    "--max-size",
    type=Size(),
    default="100M",
    show_default=True,
    help="End before the file becomes larger. 100M are about ten hours at 100 steps/s.",
)
@click.option("--append", is_flag=True, help="Go on with FILE if it is there.")
@connect_option
@json_option
def record(
    engine: str | None,
    engine_option: str | None,
    output: Path,
    for_s: float | None,
    max_size: int,
    append: bool,
    connect: str | None,
    as_json: bool,
) -> None:
    """Record one engine: every step, a snapshot a second, changes of limits.

    Play it with `rblntop --replay FILE`, read it with `rblnctl steps --recording FILE`, and have it for
    Perfetto with `rblnctl export --recording FILE`.
    """
    import asyncio

    name = chosen_engine(engine, engine_option)
    asyncio.run(_record(connect, name, output, for_s, max_size, append, as_json))


async def _record(
    connect: str | None,
    engine: str,
    path: Path,
    for_s: float | None,
    max_size: int,
    append: bool,
    as_json: bool,
) -> None:
    import asyncio
    import signal
    import time

    from rblntop import recording
    from rblntop.cli.terminal import ProgressLine
    from rblntop.client import Client
    from rblntop.recording.capture import Capture
    from rblntop.recording.errors import RecordingError
    from rblntop.recording.recorder import Recorder
    from rblntop.recording.writer import FullError, RecordingWriter

    async with Client(connect) as client:
        first = await client.get_snapshot(engine)
        if append:
            _same_engine(path, first.engine.name)
        writer = (RecordingWriter.append_to if append else RecordingWriter.create)(path, max_size)
        address = str(client.address)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if for_s is not None:
        loop.call_later(for_s, stop.set)
    about: dict[str, str | int | float] = {
        "recorder": recording.__name__,
        "daemon": address,
        "engine": first.engine.name,
        "mono_ns": time.monotonic_ns(),
    }
    began_s = time.monotonic()
    ended = ""
    recorder = None
    try:
        recorder = Recorder(writer, time.time_ns(), about)
        capture = Capture(connect, first, recorder)
        with ProgressLine() as line:
            showing = asyncio.ensure_future(_show(line, first.engine.name, capture, recorder, began_s))
            try:
                await capture.run(stop)
            finally:
                showing.cancel()
    except FullError:
        ended = "; it ended at --max-size: go on with --append and a larger one, or into another file"
    except RecordingError as error:
        raise click.ClickException(f"{error}\n{_summary(path, recorder)}, which can be read") from error
    finally:
        writer.close()
    click.echo(_summary(path, recorder) + ended, err=True)
    if as_json and recorder is not None:
        import dataclasses
        import json

        found = dataclasses.asdict(recorder.totals)
        click.echo(json.dumps({"file": str(path), "bytes": writer.size, "full": bool(ended), **found}))


def _same_engine(path: Path, name: str) -> None:
    """A recording is of one engine, whatever processes bear its name.

    Raises:
        ClickException: the recording is of another engine.
    """
    from rblntop.recording.reader import Recording

    if not path.exists():
        return
    with Recording.open(path) as recording:
        found = recording.engine()
    if found is not None and found.name != name:
        raise click.ClickException(
            f"{path}: is a recording of {found.name}, not of {name}: choose another file"
        )


async def _show(line: ProgressLine, name: str, capture: Capture, recorder: Recorder, began_s: float) -> None:
    import asyncio
    import sys
    import time

    from rblntop.text.durations import duration

    while True:
        if capture.lost_because:
            line.show("the daemon is away, trying again", f" ({capture.lost_because})")
        elif sys.stderr.isatty():
            totals = recorder.totals
            gap = f", gap {totals.missed:,}" if totals.missed else ""
            line.show(
                f"recording {name}  {duration(time.monotonic() - began_s)}  {totals.steps:,} steps{gap}  "
                f"{recorder.writer.size / 1e6:.1f} MB  Ctrl-C ends"
            )
        else:
            line.show(f"recording {name} into {recorder.writer.path}")
        await asyncio.sleep(0.5)


def _summary(path: Path, recorder: Recorder | None) -> str:
    if recorder is None:
        return f"{path}: nothing recorded"
    totals = recorder.totals
    gap = f", {totals.missed:,} missed" if totals.missed else ""
    return (
        f"{path}: {totals.steps:,} steps{gap}, {totals.snapshots:,} snapshots, "
        f"{recorder.writer.size / 1e6:.1f} MB"
    )
