"""The terminal is as it was, however the dashboard ends."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios

import pytest

PROGRAM = """
import sys
from rblntop.app.app import RblntopApp
from rblntop.source import examples
from rblntop.source.scripted import ScriptedSource

class Crashing(ScriptedSource):
    async def updates(self):
        async for update in super().updates():
            yield update
            raise RuntimeError("a fault of ours")

kind = Crashing if sys.argv[1] == "crash" else ScriptedSource
app = RblntopApp(kind(examples.serving()))
code = app.run()
sys.exit(code or app.return_code)
"""
#: What is switched on, and how it is switched off: other screen, hidden cursor, mouse, pasting.
MODES = [(b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h"), (b"\x1b[?1000h", b"\x1b[?1000l")]


def shown_until(terminal, end):
    """What is drawn until ``end`` is there; all of it if that is None."""
    drawn = b""
    while end is None or end not in drawn:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        drawn += part
    return drawn


@pytest.mark.parametrize("how", ["q", "crash", signal.SIGTERM, signal.SIGHUP])
def test_it_is_given_back(how):
    terminal, inner = pty.openpty()
    before = termios.tcgetattr(inner)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(how)],
        stdin=inner, stdout=inner, stderr=inner, env=dict(os.environ, TERM="xterm-256color"),
    )  # fmt: skip
    # The end of what is drawn is seen only when nobody else holds the terminal.
    os.close(inner)
    drawn = b"" if how == "crash" else shown_until(terminal, b"LIMITS")
    if how == "q":
        os.write(terminal, b"q")
    elif how != "crash":
        process.send_signal(how)
    drawn += shown_until(terminal, None)
    process.wait()
    after = termios.tcgetattr(terminal)
    os.close(terminal)
    assert after == before
    for on, off in MODES:
        assert drawn.rfind(off) > drawn.rfind(on) >= 0
    if how == "crash":
        assert b"a fault of ours" in drawn
        assert process.returncode == 1
    else:
        assert process.returncode == (0 if how == "q" else 128 + how)
