"""Times as a person says them: ``45 ms``, ``38 s``, ``41 min``."""

from __future__ import annotations

import math

from rblntop.text.numbers import MISSING, known


def duration(seconds: float | None) -> str:
    """A length of time, in at most six characters up to a thousand days."""
    if seconds is None or not known(seconds):
        return MISSING
    seconds = max(0.0, seconds)
    if seconds == 0:
        return "0 s"
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    if seconds < 119.5 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 47.5 * 3600:
        return f"{seconds / 3600:.0f} h"
    days = seconds / 86400
    return f"{days:.0f} d" if days < 99999 else "ages"


def countdown(seconds: float | None) -> str:
    """What is left of a time that runs out: ``8:41``, ``1:02:41``. Never ``0:00`` while some is left."""
    if seconds is None or not known(seconds):
        return MISSING
    left = math.ceil(max(0.0, seconds))
    if left >= 2 * 86400:
        return duration(left)
    minutes, second = divmod(left, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def clock(time_s: float | None) -> str:
    """Local wall-clock time of day."""
    return _local(time_s, "%H:%M:%S") or "--:--:--"


def date_and_clock(time_s: float | None) -> str:
    """Local date and time of day."""
    return _local(time_s, "%Y-%m-%d %H:%M:%S") or "--:--:--"


def _local(time_s: float | None, form: str) -> str:
    import datetime

    if time_s is None or not known(time_s):
        return ""
    try:
        return datetime.datetime.fromtimestamp(time_s).strftime(form)
    except (OverflowError, ValueError, OSError):
        return ""
