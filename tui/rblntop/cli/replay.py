"""``rblntop --replay FILE``."""

from __future__ import annotations

import os
from pathlib import Path

import click


def replay(path: Path) -> int:
    """The dashboard on a recording; its exit code."""
    from rblntop.app.replay_app import ReplayApp
    from rblntop.recording.reader import Recording
    from rblntop.settings import SettingsFile, settings_path
    from rblntop.source.recorded import RecordedSource

    with Recording.open(path) as recording:
        app = ReplayApp(RecordedSource(recording), settings_file=SettingsFile(settings_path(os.environ)))
        code = app.run()
        for note in recording.notes:
            click.echo(note, err=True)
    if app.refusal:
        raise click.ClickException(app.refusal)
    return code or app.return_code or 0


def replay_once(path: Path, as_json: bool) -> None:
    """Print the last snapshot of a recording."""
    from rblntop.cli.show import print_snapshot
    from rblntop.playback import Playback
    from rblntop.recording.errors import RecordingError
    from rblntop.recording.reader import Recording

    with Recording.open(path) as recording:
        snapshot = recording.latest_snapshot()
        if snapshot is None:
            raise RecordingError(path, "holds no snapshot that can be read")
        playback = Playback(paused=True, at_end=True, growing=recording.growing)
        for note in recording.notes:
            click.echo(note, err=True)
    print_snapshot(snapshot, as_json, playback=playback)
