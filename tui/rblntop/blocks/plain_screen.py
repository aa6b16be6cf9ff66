"""The whole screen as plain text, for ``rblnctl show`` and ``rblntop --once``."""

from __future__ import annotations

from rblntop.blocks.group_table import group_table, height_for
from rblntop.blocks.header import header
from rblntop.blocks.host_lines import host_line, process_lines
from rblntop.blocks.limits_line import full_limits_lines
from rblntop.blocks.panels import HEIGHT, panels
from rblntop.blocks.summary import summary
from rblntop.blocks.verdict_line import verdict_line
from rblntop.model import Snapshot
from rblntop.playback import Playback
from rblntop.scene import Link, Scene
from rblntop.text.line import Line, fit, plain

MIN_WIDTH = 80
MAX_WIDTH = 200


def plain_screen(
    snapshot: Snapshot, *, width: int = 120, window_s: int = 10, playback: Playback | None = None
) -> list[str]:
    """All groups, without keys: nobody can press them here."""
    scene = Scene(snapshot, link=Link(readonly_because="plain text"), window_s=window_s, playback=playback)
    width = min(max(width, MIN_WIDTH), MAX_WIDTH)
    lines: list[Line] = [header(scene, width), verdict_line(scene, width), ()]
    lines += summary(scene, width)
    lines.append(())
    lines += group_table(scene, width, height_for(len(snapshot.groups)))
    lines.append(())
    lines += full_limits_lines(scene, width)
    lines.append(())
    lines += panels(scene, width, HEIGHT)
    if snapshot.host is not None:
        lines += [(), fit(host_line(snapshot.host), width), *process_lines(snapshot.host, width)]
    return [plain(line) for line in lines]
