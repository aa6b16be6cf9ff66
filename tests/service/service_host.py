"""A host with the service installed: a real systemd as PID 1 of namespaces of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent
SANDBOX = HERE / "systemd_sandbox.sh"
TOOLS = ("unshare", "nsenter", "ip", "pgrep", "setsid", "systemctl", "systemd-sysusers", "systemd-tmpfiles")
#: Where the sandbox sees what the tests run with: users of services may not look into a home directory.
OPT = Path("/opt/rblntop")
PYTHON = OPT / "python" / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
ENGINE_UNIT = """
[Service]
User=vllm
ExecStart=/usr/local/bin/sim-engine --scenario balanced
ProtectSystem=strict
ReadWritePaths=/run/rblntop/engines
ProtectHome=yes
PrivateTmp=yes
"""
#: A Python of one's own may have its library below a home directory, and would find another's instead.
_PROGRAM = f"""#!/bin/sh
export LD_LIBRARY_PATH={OPT}/python/lib
exec {PYTHON} {OPT}/stage/{{script}} "$@"
"""
_SCRIPT = """import sys
sys.path[:] = [*sys.path[1:], {paths}]
from {module} import main
sys.exit(main())
"""


def why_not() -> str:
    """Why there can be no such host here; empty if there can."""
    if os.geteuid() != 0:
        return "a systemd of one's own needs root"
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"not installed: {', '.join(missing)}"
    if not Path("/lib/systemd/systemd").exists():
        return "systemd is not installed"
    asked = ["unshare", "--pid", "--fork", "--mount", "--cgroup", "--uts", "--ipc", "--net", "true"]
    found = subprocess.run(asked, capture_output=True, text=True)
    return f"no namespaces of one's own: {found.stderr.strip()}" if found.returncode else ""


class ServiceHost:
    """Runs commands in it. Everything a test writes is gone with it."""

    def __init__(self, state: Path) -> None:
        self._state = state
        stage = state / "stage"
        _stage(stage)
        packages = sysconfig.get_path("purelib")
        binds = [
            f"{stage}:{OPT}/stage",
            f"{REPOSITORY}:{OPT}/source",
            f"{sys.base_prefix}:{OPT}/python",
            f"{packages}:{OPT}/packages",
        ]
        self.problem = self._sandbox("up", *binds).stderr.strip()
        if self.problem:
            return
        # Permissions of the staging area belong to its maker; a service's files are for all.
        self.run("cp", "-r", "--no-preserve=mode", f"{OPT}/stage/root/.", "/")
        self.run("sh", "-c", "chmod 755 /usr/local/bin/*")
        self.run("systemd-sysusers")
        self.run("systemd-tmpfiles", "--create", "rblntop.conf")
        for user, group in (("ops", "rblntop-admin"), ("looks", "rblntop"), ("nobody-special", "")):
            self.run("useradd", *(["-G", group] if group else []), user)
        self.run("useradd", "vllm")
        self.run("systemctl", "daemon-reload")

    def run(self, *command: str, expected: int = 0) -> str:
        """What a command printed to standard output, as root; it must end with ``expected``."""
        found = self.ask(*command)
        assert found.returncode == expected, f"{command}: {found.returncode}\n{found.stdout}{found.stderr}"
        return found.stdout

    def ask(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command that may end in any way."""
        return self._sandbox("run", *command)

    def popen(self, *command: str, **options: Any) -> subprocess.Popen[str]:
        """A command that goes on."""
        return subprocess.Popen([str(SANDBOX), "run", str(self._state), *command], text=True, **options)

    def as_user(self, user: str, *command: str) -> subprocess.CompletedProcess[str]:
        """A command of a user, with the groups that the user has."""
        return self.ask("runuser", "-u", user, "--", "env", f"HOME=/home/{user}", *command)

    def json_of(self, user: str, *command: str) -> Any:
        """The JSON that a command of a user printed."""
        found = self.as_user(user, *command)
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)

    def unit(self, unit: str, *properties: str) -> dict[str, str]:
        """Properties of a unit."""
        shown = self.run("systemctl", "show", unit, "-p", ",".join(properties))
        return dict(line.split("=", 1) for line in shown.splitlines())

    def journal(self, unit: str) -> list[dict[str, str]]:
        """The unit's lines since the boot."""
        shown = self.run("journalctl", "-u", unit, "-o", "json", "--no-pager")
        return [json.loads(line) for line in shown.splitlines()]

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        command = [
            str(SANDBOX),
            "run",
            str(self._state),
            "sh",
            "-c",
            f"mkdir -p $(dirname {path}); cat > {path}",
        ]
        subprocess.run(command, input=text, text=True, check=True)

    def end(self) -> None:
        """Stop all of it."""
        self._sandbox("down")

    def _sandbox(self, verb: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(SANDBOX), verb, str(self._state), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)


def _stage(stage: Path) -> None:
    """What `make install` makes, but that the programs are those of this checkout."""
    root = stage / "root"
    subprocess.run(["make", "-s", "-C", str(REPOSITORY), "install-service", f"DESTDIR={root}"], check=True)
    sources = ", ".join(repr(f"{OPT}/source/{name}") for name in ("daemon", "tui", "protos"))
    paths = f"{sources}, '{OPT}/packages'"
    bin_dir = root / "usr/local/bin"
    bin_dir.mkdir(parents=True)
    modules = {
        "rblntopd": "rblntopd.cli",
        "rblnctl": "rblntop.cli.ctl",
        "sim-engine": "rblntopd.sim.engine.__main__",
    }
    for name, module in modules.items():
        (stage / f"run-{name}.py").write_text(_SCRIPT.format(paths=paths, module=module))
        (bin_dir / name).write_text(_PROGRAM.format(script=f"run-{name}.py"))
    units = root / "etc/systemd/system"
    units.mkdir(parents=True)
    (units / "engine.service").write_text(ENGINE_UNIT)
    subprocess.run(
        [sys.executable, "-m", "rblntopd.cli", "probe", "export", str(root / "usr/local/lib/rblntop-probe")],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    drop_in = units / "engine.service.d" / "rblntop.conf"
    drop_in.parent.mkdir()
    shutil.copy(root / "usr/local/share/doc/rblntop/vllm-drop-in.conf", drop_in)
