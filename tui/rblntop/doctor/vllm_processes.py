"""Finds the vLLM commands that run, and what they were started with."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

#: What vLLM calls its processes (vllm.utils.system_utils.set_process_title): ``VLLM::EngineCore_DP0``.
_TITLE = re.compile(r"^\S+::(EngineCore|APIServer|Worker|DPCoordinator)")
_PYTHON = re.compile(r"^(python|pypy)[0-9.]*$")
#: How this project starts vLLM without a device.
_OURS = ("rblntopd.sim.serve_on_cpu", "rblntopd.sim.vllm_engine")


@dataclass(frozen=True, slots=True)
class Family:
    """A vLLM command with the processes that it started."""

    root: psutil.Process
    members: tuple[psutil.Process, ...]
    """The root first."""
    ancestors: tuple[psutil.Process, ...]
    """Of a root that is known by its title alone, nearest first: the script that uses ``LLM``."""


def is_vllm(command: Sequence[str]) -> bool:
    """Whether a command line is vLLM's: ``vllm serve``, ``python -m vllm...``, or one of its titles."""
    if not command or not command[0]:
        return False
    if _TITLE.match(command[0]):
        return True
    program = os.path.basename(command[0])
    if program == "vllm":
        return list(command[1:2]) == ["serve"]
    if not _PYTHON.match(program):
        return False
    for index, word in enumerate(command[1:], start=1):
        following = list(command[index + 1 : index + 2])
        if word == "-m":
            module = "".join(following)
            return module.split(".")[0] == "vllm" or module in _OURS
        if os.path.basename(word) == "vllm":
            return following == ["serve"]
    return False


def is_core(command: Sequence[str]) -> bool:
    """Whether it is the process that has the scheduler, by its title."""
    found = _TITLE.match(command[0]) if command else None
    return found is not None and found[1] == "EngineCore"


def short_title(command: Sequence[str]) -> str:
    """Enough of a command line to know it by: no option, because one may be ``--api-key``."""
    words = list(command)
    if words and _PYTHON.match(os.path.basename(words[0])):
        script = next((i for i, word in enumerate(words) if os.path.basename(word) == "vllm"), None)
        if "-m" in words and script is None:
            return " ".join(["python", *words[words.index("-m") :][:2]])
        words = words[script:]
    name, *rest = words or ["vllm"]
    shown = itertools.takewhile(lambda word: word and not word.startswith("-"), rest[:2])
    return " ".join([os.path.basename(name), *shown])


def find_families() -> list[Family]:
    """Every vLLM command of this host, oldest first."""
    commands: dict[int, tuple[psutil.Process, int]] = {}
    for process in psutil.process_iter(["cmdline", "ppid", "create_time", "status"]):
        info = process.info
        if info["status"] != psutil.STATUS_ZOMBIE and is_vllm(info["cmdline"] or ()):
            commands[process.pid] = (process, info["ppid"])
    roots: dict[int, list[psutil.Process]] = {}
    for pid, (process, parent) in commands.items():
        root = pid
        while parent in commands:
            root, parent = parent, commands[parent][1]
        members = roots.setdefault(root, [])
        members.insert(0 if root == pid else len(members), process)
    families = [Family(m[0], tuple(m), _script_above(m[0])) for m in roots.values()]
    return sorted(families, key=lambda family: float(family.root.info["create_time"]))


def _script_above(process: psutil.Process) -> tuple[psutil.Process, ...]:
    """An EngineCore that a script started has the script above it, which runs the same interpreter."""
    found: list[psutil.Process] = []
    if not _TITLE.match(process.info["cmdline"][0]):
        return ()
    try:
        program = process.exe()
        for parent in process.parents():
            if parent.exe() != program:
                break
            found.append(parent)
    except psutil.Error:
        pass  # It ended, or it is somebody else's: then its parents tell us nothing either.
    return tuple(found)


def command_of(process: psutil.Process) -> list[str]:
    """Its command line; empty: it has ended, or hides it."""
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def read_environment(pids: Iterable[int]) -> tuple[dict[str, str] | None, str]:
    """What the first of these processes that still shows it was started with; None and why, if none does.

    vLLM gives its processes titles, and setproctitle writes those over the environment in /proc: an
    EngineCore shows nothing but zeros. The command that started it shows its own.
    """
    errors = []
    for pid in pids:
        try:
            raw = Path(f"/proc/{pid}/environ").read_bytes()
        except PermissionError:
            errors.append("it is another user's")
            continue
        except OSError as error:
            errors.append(error.strerror or str(error))
            continue
        pairs = (part.decode(errors="surrogateescape").partition("=") for part in raw.split(b"\0"))
        found = {name: value for name, equals, value in pairs if name and equals}
        if found:
            return found, ""
        errors.append("its title has been written over it")
    return None, errors[0] if errors else "it has ended"


def pids_everywhere(pid: int) -> frozenset[int]:
    """Its pid here, and in the pid namespaces that it is in: its ring has the innermost."""
    try:
        with open(f"/proc/{pid}/status") as status:
            for line in status:
                if line.startswith("NSpid:"):
                    return frozenset({pid, *map(int, line.split()[1:])})
    except OSError:
        pass  # It has ended meanwhile.
    return frozenset({pid})


def interpreter(processes: Sequence[psutil.Process], environment: Mapping[str, str] | None) -> str:
    """The path of the Python that runs it, as it was called; empty: not known.

    What /proc calls its program is behind the links by which a virtual environment is found.
    """
    variables = environment or {}
    for process in processes:
        first = (command_of(process) or [""])[0]
        if not _PYTHON.match(os.path.basename(first)):
            continue
        if os.path.isabs(first):
            return first
        if "/" in first:
            try:
                return os.path.normpath(os.path.join(process.cwd(), first))
            except psutil.Error:
                continue
        if found := shutil.which(first, path=variables.get("PATH", os.defpath)):
            return found
    if home := variables.get("VIRTUAL_ENV"):
        return f"{home}/bin/python"
    try:
        return str(processes[0].exe())
    except (psutil.Error, IndexError):
        return ""


def sees_file_like_us(pid: int, path: str) -> bool:
    """Whether ``path`` is the same file for the process as for us; true where we may not look."""
    try:
        return os.path.samefile(f"/proc/{pid}/root{path}", path)
    except FileNotFoundError:
        return not os.path.exists(f"/proc/{pid}/root{path}") and not os.path.exists(path)
    except OSError:
        return True


def age_s(process: psutil.Process) -> float:
    """Seconds since it was started."""
    return max(0.0, time.time() - float(process.info["create_time"]))
