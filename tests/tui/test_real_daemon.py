"""The flow of a trial, against a daemon and a sim engine that are processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rblntop.app.app import RblntopApp
from rblntop.app.widgets.ask_panel import AskPanel
from rblntop.app.widgets.change_panel import ChangePanel
from rblntop.model import ChangeAction
from rblntop.source.live import LiveSource

#: A test that waits so long has failed; none waits for a time to pass.
PATIENCE_S = 60.0


@pytest.fixture
def daemon():
    """The address of a daemon with a sim engine."""
    # Short, because a socket path has at most 107 bytes.
    directory = Path(f"/dev/shm/rblntop-tui-{os.getpid()}-{time.monotonic_ns() % 1_000_000_000}")
    runtime = directory / "run"
    runtime.mkdir(mode=0o700, parents=True)
    environment = dict(
        os.environ, RBLNTOP_RUNTIME_DIR=str(runtime), RBLNTOP_STATE_DIR=str(directory / "state")
    )
    commands = (["rblntopd.sim.engine", "--scenario", "balanced"], ["rblntopd.cli", "serve"])
    with open(directory / "log", "w") as log:
        processes = [
            subprocess.Popen([sys.executable, "-m", *command], env=environment, stdout=log, stderr=log)
            for command in commands
        ]
    yield f"unix:{runtime / 'rblntopd.sock'}"
    for process in processes:
        process.kill()
        process.wait()
    print((directory / "log").read_text())
    subprocess.run(["rm", "-rf", str(directory)], check=True)


async def until(pilot, condition):
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "it did not come"
        await pilot.pause(0.05)


def limits(app):
    scene = app.scene
    return scene.snapshot.limits if scene is not None else None


async def test_a_change_is_foreseen_tried_and_undone_and_another_one_kept_and_taken_back(daemon):
    app = RblntopApp(LiveSource(daemon, interval_s=0.2))
    async with app.run_test(size=(120, 36)) as pilot:
        app.board.interval_s = app._source.interval_s = 0.2
        await until(pilot, lambda: app.scene is not None and app.scene.snapshot.running > 8)

        await pilot.press("M", "8", "tab", *"a try")
        await until(pilot, lambda: app.query_one(ChangePanel).draft.outlook)
        assert app.query_one(ChangePanel).draft.outlook[0].preview is not None
        await pilot.press("enter")
        await until(pilot, lambda: limits(app).trial is not None)
        assert limits(app).max_num_seqs.target == 8
        await until(pilot, lambda: limits(app).trial.reverts_at_s is not None)
        await until(pilot, lambda: app.board.changes)
        assert (app.board.changes[0].action, app.board.changes[0].reason) == (ChangeAction.TRY, "a try")

        await pilot.press("U")
        await until(pilot, lambda: limits(app).trial is None)
        assert limits(app).max_num_seqs.target is None

        await pilot.press("G", "left", "2", "enter")
        await until(pilot, lambda: limits(app).trial is not None)
        await pilot.press("K")
        await until(pilot, lambda: limits(app).trial is None)
        assert {cap.target for cap in limits(app).group_caps} == {2}

        await until(pilot, lambda: app.board.changes[0].action is ChangeAction.CONFIRM)
        await pilot.press("U")
        await until(pilot, lambda: app.query_one(AskPanel).display)
        await pilot.press("enter")
        await until(pilot, lambda: limits(app).trial is not None)
        assert {cap.target for cap in limits(app).group_caps} == {None}

        await pilot.press("R", "enter")
        await until(pilot, lambda: limits(app).trial is None)
        await pilot.press("A", "right", "enter")
        await until(pilot, lambda: limits(app).admission_state.closed)
        await pilot.press("A", "enter")
        await until(pilot, lambda: not limits(app).admission_state.closed)


async def test_a_change_at_limits_that_somebody_moved_is_refused_and_asked_again(daemon):
    app = RblntopApp(LiveSource(daemon, interval_s=0.2))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.scene is not None and app.scene.snapshot.running)
        await pilot.press("M", "1", "2")
        client = app._source._client
        await client.set_limits("", max_num_seqs=16)
        await pilot.press("enter")
        await until(pilot, lambda: "moved" in app.query_one(ChangePanel).draft.message)
        assert app.query_one(ChangePanel).draft.text == "12"
        await pilot.press("enter")
        await until(pilot, lambda: limits(app).trial is not None)
        assert limits(app).max_num_seqs.target == 12
