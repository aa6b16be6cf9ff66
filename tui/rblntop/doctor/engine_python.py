"""Asks an engine's own interpreter whether it has the plugin, without importing vLLM."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from rblntop.doctor.facts import PluginAnswer

TIMEOUT_S = 30.0
"""An interpreter on a network file system, on a host whose engine takes every core, takes its time."""

#: For Python 3.10 and later. The working directory, first on the path of ``-c``, is not the engine's.
_QUESTION = """
import sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
import json
from importlib.metadata import entry_points
from importlib.util import find_spec
found = {
    "installed": bool(list(entry_points(group="vllm.general_plugins", name="rblntop"))),
    "has_vllm": find_spec("vllm") is not None,
    "has_vllm_rbln": find_spec("vllm_rbln") is not None,
}
try:
    from rblntopd.probe import __version__
    found["probe_version"] = __version__
except Exception as error:
    found["import_error"] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom an interpreter runs as."""

    uid: int
    gid: int


def ask_python(
    python: str, environment: Mapping[str, str] | None, identity: Identity | None = None
) -> PluginAnswer:
    """What ``python`` knows of the plugin, with the engine's own ``environment`` (None: with ours).

    Args:
        python: A path.
        environment: With the engine's PYTHONPATH, and all else that decides what is imported.
        identity: Whose process it was found by. A program of another user is never run with our rights.
    """
    drop: dict[str, object] = {}
    if identity is not None and identity.uid != os.geteuid():
        if os.geteuid() != 0:
            return PluginAnswer(python, error="it is another user's program, which is not run")
        drop = {"user": identity.uid, "group": identity.gid, "extra_groups": []}
    try:
        done = subprocess.run(
            [python, "-c", _QUESTION],
            env=None if environment is None else dict(environment),
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_S,
            **drop,  # type: ignore[call-overload]
        )
    except subprocess.TimeoutExpired:
        return PluginAnswer(python, error=f"no answer within {TIMEOUT_S:.0f} s")
    except (OSError, ValueError) as error:
        return PluginAnswer(python, error=getattr(error, "strerror", None) or str(error))
    lines = done.stdout.decode(errors="replace").splitlines()
    try:
        found = json.loads(lines[-1]) if lines else None
    except ValueError:
        found = None
    if done.returncode or not isinstance(found, dict):
        last = (done.stderr.decode(errors="replace").strip().splitlines() or ["it printed nothing"])[-1]
        return PluginAnswer(python, error=f"exit code {done.returncode}: {last}")
    return PluginAnswer(
        python,
        installed=found.get("installed") is True,
        probe_version=str(found.get("probe_version", "")),
        import_error=str(found.get("import_error", "")),
        has_vllm=found.get("has_vllm") is True,
        has_vllm_rbln=found.get("has_vllm_rbln") is True,
    )
