#!/usr/bin/env python3
"""The pictures of the README: a still one and a moving one, of a recorded run of the sim engine.

The run: one group carries nearly all requests; after a while all groups are capped on trial, the running
requests drain, the groups even out and the token gap falls. Needs chromium and the font Fira Code (Debian:
fonts-firacode).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageColor

from rblntop.app.replay_app import ReplayApp
from rblntop.app.themes import THEMES
from rblntop.recording.reader import Recording
from rblntop.source.recorded import RecordedSource

IMAGES = Path(__file__).parent.parent / "docs" / "images"
SIZE = (120, 36)
CHANGE_AT_S, KEEP_AT_S, ENDS_AT_S = 65, 140, 165
FRAMES = (*range(40, 66, 3), *range(66, 96), *range(96, 164, 3))
"""Seconds of the run that are shown: the change and the drain by the second."""
FRAME_MS, LAST_MS = 220, 3000
WIDTH = 1180
SPAN_S = 180
STILL_S = 150
"""The still picture: after the change, with what it did."""
MOST_BYTES = 1_500_000


def record(path: Path) -> None:
    """Run and record the sim engine, and change it meanwhile."""
    programs = Path(sys.executable).parent
    place = Path(tempfile.mkdtemp(prefix="rblntop-pictures-", dir="/dev/shm"))
    environment = {**os.environ, "RBLNTOP_RUNTIME_DIR": str(place), "XDG_STATE_HOME": str(place / "state")}
    environment["RBLNTOP_ENGINE_NAME"] = "prod-70b/0"

    def start(*command: str | Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([str(part) for part in command], env=environment)

    def ctl(*arguments: str) -> str:
        command = [str(programs / "rblnctl"), *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

    started = [
        start(sys.executable, "-m", "rblntopd.sim.engine", "--scenario", "collapse"),
        start(programs / "rblntopd", "serve"),
    ]
    try:
        while (
            "prod-70b/0"
            not in subprocess.run(
                [str(programs / "rblnctl"), "engines"], env=environment, capture_output=True, text=True
            ).stdout
        ):
            time.sleep(0.5)
        recorder = start(programs / "rblnctl", "record", "-o", path, "--for", f"{ENDS_AT_S}s")
        time.sleep(CHANGE_AT_S)
        caps = [part for group in range(4) for part in ("--group-cap", f"{group}=5")]
        answer = ctl("set", *caps, "--ttl", "10m", "--reason", "spread the groups")
        found = re.search(r"rblnctl confirm (\w+)", answer)
        assert found is not None, answer
        time.sleep(KEEP_AT_S - CHANGE_AT_S)
        ctl("confirm", found.group(1))
        recorder.wait()
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
            process.wait()
        shutil.rmtree(place)


async def frames(path: Path, folder: Path) -> list[Path]:
    """The run as SVG, one file a frame."""
    drawn = []
    with Recording.open(path) as recording:
        source = RecordedSource(recording)
        app = ReplayApp(source)
        async with app.run_test(size=SIZE) as pilot:
            source.player.paused = True
            while app.scene is None or app.scene.past.trend is None:
                await pilot.pause()
            for _ in range(20):  # The past is read block by block.
                await pilot.pause()
            app.board.choice.span_s = SPAN_S
            source.player.paused = False
            for second in FRAMES:
                source.player.rewind()
                source.player.seek(second)
                app._moved()
                await pilot.pause()
                drawn.append(folder / f"{second:03}.svg")
                drawn[-1].write_text(app.export_screenshot(title="rblntop"))
    return drawn


def picture(svg: Path) -> Image.Image:
    """An SVG as chromium draws it, in WIDTH pixels."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg.read_text())
    assert box is not None
    size = ",".join(str(int(float(number)) + 1) for number in box.groups())
    png = svg.with_suffix(".png")
    subprocess.run(
        [
            shutil.which("chromium") or "chromium-browser", "--headless", "--no-sandbox", "--disable-gpu",
            "--hide-scrollbars", "--default-background-color=00000000", f"--window-size={size}",
            f"--screenshot={png}", svg.as_uri(),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    image = Image.open(png).convert("RGB")
    return image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)


def colours() -> Image.Image:
    """One palette for all frames: the theme's colours, and those on the edges of its letters."""
    look = THEMES["rblntop"]
    fields = [getattr(look, field) for field in look.__slots__]
    own = sorted({field for field in fields if isinstance(field, str) and field.startswith("#")})
    background = ImageColor.getrgb(look.background)
    wanted = [ImageColor.getrgb(colour) for colour in own]
    wanted += [
        tuple(
            round(part * share + behind * (1 - share))
            for part, behind in zip(colour, background, strict=True)
        )
        for colour in wanted
        for share in (0.35, 0.7)
    ]
    # The window around it, which is not the theme's.
    wanted += [(41, 41, 41), (255, 95, 87), (254, 188, 46), (40, 200, 64), (197, 200, 198)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in wanted[:256] for part in colour])
    return palette


def main() -> None:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recording", type=Path, help="of such a run, instead of recording one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = given.recording or Path(folder) / "run.rec"
        if given.recording is None:
            print(f"recording for {ENDS_AT_S} s ...", flush=True)
            record(path)
        drawn = asyncio.run(frames(path, Path(folder)))
        print(f"drawing {len(drawn)} frames ...", flush=True)
        images = [picture(svg) for svg in drawn]
    IMAGES.mkdir(exist_ok=True)
    palette = colours()
    still = min(range(len(FRAMES)), key=lambda at: abs(FRAMES[at] - STILL_S))
    images[still].quantize(256, method=Image.Quantize.FASTOCTREE).save(
        IMAGES / "dashboard.png", optimize=True
    )
    moving = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    times = [FRAME_MS] * (len(moving) - 1) + [LAST_MS]
    target = IMAGES / "dashboard.gif"
    moving[0].save(target, save_all=True, append_images=moving[1:], duration=times, loop=0, optimize=True)
    for name in ("dashboard.png", "dashboard.gif"):
        size = (IMAGES / name).stat().st_size
        print(f"docs/images/{name}: {size:,} bytes")
        if size > MOST_BYTES:
            sys.exit(f"{name} is above {MOST_BYTES:,} bytes")


if __name__ == "__main__":
    main()
