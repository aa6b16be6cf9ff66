"""``rblntopd run``: become the engine's command, with the probe on its path and a daemon beside it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from rblntopd.private_dir import make_private
from rblntopd.probe.runtime_dir import runtime_dir
from rblntopd.probe_export import exported_probe
from rblntopd.server.socket_place import default_socket, is_served, is_services

PLUGIN = "rblntop"
#: Exit codes of a shell.
NOT_EXECUTABLE = 126
NOT_FOUND = 127


class EngineCommandError(Exception):
    """The command cannot be started; the message says why."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def become(name: str | None, command: Sequence[str]) -> NoReturn:
    """Replace this process by ``command``: the same pid, so signals and exit code are the command's own.

    Raises:
        EngineCommandError: there is no such command, or it is not executable.
    """
    program = shutil.which(command[0])
    if program is None:
        if os.path.dirname(command[0]) and os.path.exists(command[0]):
            raise EngineCommandError(f"{command[0]} is not executable", NOT_EXECUTABLE)
        raise EngineCommandError(f"command not found: {command[0]}", NOT_FOUND)
    runtime = runtime_dir().absolute()
    environment = dict(os.environ)
    # An engine without the probe is better than no engine.
    try:
        make_private(runtime)
        probe = exported_probe(probe_parent(runtime))
        environment = engine_environment(os.environ, probe, runtime, name)
        # Beside the service it would wait for the moment in which that is restarted, and take its place.
        if not is_services(runtime):
            start_daemon(runtime, os.getpid())
    except OSError as error:
        print(f"rblntopd run: {error}: the engine starts unwatched", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execve(program, list(command), environment)
    except OSError as error:
        raise EngineCommandError(f"{program}: {error.strerror}", NOT_EXECUTABLE) from error


def probe_parent(runtime: Path) -> Path:
    """Where to put the probe: an engine may put its files into the service's directory, and nothing else."""
    if os.access(runtime, os.W_OK):
        return runtime / "probe"
    return Path(f"/tmp/rblntop-{os.geteuid()}") / "probe"


def engine_environment(
    environ: Mapping[str, str], probe: Path, runtime: Path, name: str | None
) -> dict[str, str]:
    """The environment of the engine: what it was, and where its probe and its runtime directory are."""
    found = dict(environ)
    # No empty part: that would put the working directory on the path.
    found["PYTHONPATH"] = os.pathsep.join(filter(None, (str(probe), environ.get("PYTHONPATH", ""))))
    found["RBLNTOP_RUNTIME_DIR"] = str(runtime)
    if name:
        found["RBLNTOP_ENGINE_NAME"] = name
    # Unset means all plugins, the platform's own among them: it must stay unset.
    plugins = environ.get("VLLM_PLUGINS")
    if plugins is not None and PLUGIN not in plugins.split(","):
        found["VLLM_PLUGINS"] = f"{plugins},{PLUGIN}" if plugins else PLUGIN
    return found


def start_daemon(runtime: Path, pid: int) -> None:
    """Start a daemon of its own session that outlives this process by some seconds.

    Where one serves already it waits: the other may end with a command that ends before this one.

    Raises:
        OSError: its log cannot be written, or it cannot be started.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    if not is_served(default_socket(runtime)):
        flags |= os.O_TRUNC
    log = os.open(runtime / "rblntopd.log", flags, 0o600)
    command = [
        sys.executable, "-m", "rblntopd.cli", "serve",
        "--runtime-dir", str(runtime), "--exit-with-pid", str(pid),
    ]  # fmt: skip
    child = os.fork()
    if child:
        os.close(log)
        os.waitpid(child, 0)
        return
    # Twice, so that it is nobody's child: the engine must not find a stranger when it waits for its own.
    try:
        os.setsid()
        # `python -m` imports from the working directory first.
        os.chdir("/")
        if os.fork():
            os._exit(0)
        null = os.open(os.devnull, os.O_RDWR)
        for target, source in ((0, null), (1, log), (2, log)):
            os.dup2(source, target)
        os.closerange(3, 256)
        os.execv(command[0], command)
    except OSError:
        os._exit(1)
    finally:
        os._exit(1)
