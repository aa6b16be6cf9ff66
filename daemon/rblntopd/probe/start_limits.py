"""Limits that an engine starts with: compiled for a high ceiling, and throttled to less from its first step.

``$RBLNTOP_LIMITS`` names a TOML file with ``max_num_seqs = 16`` and ``group_caps = [4, 4, 2, 4]`` (a single
number is the cap of every group); ``$RBLNTOP_MAX_NUM_SEQS`` and ``$RBLNTOP_GROUP_CAPS`` (``4,4,2,4``) win
over the file. What cannot be used is ignored as a whole, and the engine says so: it must start.
"""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Mapping
from typing import Any

from rblntopd.probe.limits import LimitChange, LimitError, LimitState

FILE_VARIABLE = "RBLNTOP_LIMITS"
MAX_NUM_SEQS_VARIABLE = "RBLNTOP_MAX_NUM_SEQS"
GROUP_CAPS_VARIABLE = "RBLNTOP_GROUP_CAPS"
KEYS = ("max_num_seqs", "group_caps")
MAX_FILE_BYTES = 64 * 1024


def start_limits(
    state: LimitState, environment: Mapping[str, str] = os.environ
) -> tuple[LimitChange | None, str]:
    """The limits to start with, None where none were asked for; and what was ignored and why, or empty."""
    try:
        change = _asked_for(state, environment)
        if change is not None:
            state.wanted(change)
    except (OSError, ValueError) as error:
        return None, f"start-up limits are ignored: {error}"
    return change, ""


def _asked_for(state: LimitState, environment: Mapping[str, str]) -> LimitChange | None:
    settings = _read_file(environment[FILE_VARIABLE]) if environment.get(FILE_VARIABLE) else {}
    if text := environment.get(MAX_NUM_SEQS_VARIABLE):
        settings["max_num_seqs"] = _number(MAX_NUM_SEQS_VARIABLE, text)
    if text := environment.get(GROUP_CAPS_VARIABLE):
        caps = [_number(GROUP_CAPS_VARIABLE, part) for part in text.split(",")]
        settings["group_caps"] = caps[0] if len(caps) == 1 else caps
    if not settings:
        return None
    caps = settings.get("group_caps", [])
    if isinstance(caps, int):
        caps = [caps] * state.group_count
    elif caps and len(caps) != state.group_count:
        raise LimitError(f"group_caps has {len(caps)} values, the engine has {state.group_count} groups")
    return LimitChange(settings.get("max_num_seqs"), dict(enumerate(caps)))


def _read_file(path: str) -> dict[str, Any]:
    try:
        toml: Any = importlib.import_module("tomllib")
    except ImportError:
        raise LimitError(f"{path}: TOML needs Python 3.11; use ${MAX_NUM_SEQS_VARIABLE}") from None
    # A pipe without a writer would keep the engine from starting.
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise LimitError(f"{path}: is not a file")
        text = file.read(MAX_FILE_BYTES).decode()
    found: dict[str, Any] = toml.loads(text)
    for key, value in found.items():
        if key not in KEYS:
            raise LimitError(f"{path}: {key} is not one of {', '.join(KEYS)}")
        values = value if key == "group_caps" and isinstance(value, list) else [value]
        if not all(type(number) is int for number in values):
            raise LimitError(f"{path}: {key}={value!r} is not a whole number")
    return found


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise LimitError(f"{name}={text!r} is not a whole number") from None
