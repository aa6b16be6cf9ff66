"""What is handed out: the source archive, the wheel that is built from it, and what the wheel installs."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent
#: Where each package of the wheel lies in a clone.
PACKAGES = {"rblntopd": "daemon", "rblntop": "tui", "rblntop_api": "protos"}
PROGRAMS = ("rblntop", "rblnctl", "rblntopd")
#: Prints a command line for every command of the three programs.
ALL_COMMANDS = """
import click
from rblntop.cli.ctl import rblnctl
from rblntop.cli.main import rblntop
from rblntopd.cli import main as rblntopd

def walk(command, words):
    print(*words)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            walk(command.get_command(context, name), [*words, name])

walk(rblntop, ["rblntop"])
walk(rblnctl, ["rblnctl"])
walk(rblntopd, ["rblntopd"])
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The directory with both; the wheel is built from the source archive, not from the clone."""
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(directory), str(REPOSITORY)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return directory


@pytest.fixture(scope="module")
def sources(built, tmp_path_factory):
    """The source archive, unpacked."""
    (archive,) = built.glob("*.tar.gz")
    directory = tmp_path_factory.mktemp("sources")
    with tarfile.open(archive) as file:
        file.extractall(directory, filter="data")
    (inside,) = directory.iterdir()
    return inside


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment of its own with the wheel in it, as pipx makes one."""
    directory = tmp_path_factory.mktemp("env")
    venv.create(directory, with_pip=False)
    python = directory / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-index", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True, timeout=300)
    # Dependencies come from the environment of the tests, behind what was installed. Its .pth files, and so
    # the clone, are not read from there.
    (site,) = directory.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return directory


def files_below(directory):
    return {
        str(path.relative_to(directory))
        for path in directory.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def package_files():
    """What the three packages consist of in the clone, by where a wheel has it."""
    return {
        f"{package}/{name}"
        for package, parent in PACKAGES.items()
        for name in files_below(REPOSITORY / parent / package)
    }


def run(installed, *command):
    # Away from the clone, and without a way back to it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [installed / "bin" / command[0], *command[1:]],
        cwd=installed,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_wheel_has_the_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        metadata = {name for name in names if ".dist-info/" in name}
        assert names - metadata == package_files()
        assert {name.partition(".dist-info/")[2] for name in metadata} == {
            "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE",
        }  # fmt: skip


def test_the_wheel_has_types_and_the_generated_code_of_every_proto(wheel):
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    assert {f"{package}/py.typed" for package in PACKAGES} <= names
    protos = {name.removesuffix(".proto") for name in names if name.endswith(".proto")}
    assert protos
    assert {f"{proto}_pb2.py{suffix}" for proto in protos for suffix in ("", "i")} <= names
    assert "rblntop_api/v1/telemetry_pb2_grpc.py" in names


def test_the_wheel_has_the_plugin_and_the_programs(wheel):
    with zipfile.ZipFile(wheel) as file:
        (entry_points,) = (name for name in file.namelist() if name.endswith("entry_points.txt"))
        lines = file.read(entry_points).decode().splitlines()
        (metadata,) = (name for name in file.namelist() if name.endswith("METADATA"))
        described = BytesParser().parsebytes(file.read(metadata))
    plugin = lines.index("[vllm.general_plugins]")
    assert lines[plugin + 1] == "rblntop = rblntopd.probe.plugin:register"
    assert {line.partition(" = ")[0] for line in lines} >= set(PROGRAMS)
    # An engine's environment is not to change when the probe is installed into it: nothing of vLLM's.
    needed = [line for line in described.get_all("Requires-Dist") if "extra ==" not in line]
    assert not [line for line in needed if line.startswith(("vllm", "torch"))]


def test_the_source_archive_has_what_a_build_and_an_installation_need(sources):
    found = files_below(sources)
    packages = {f"{PACKAGES[name.partition('/')[0]]}/{name}" for name in package_files()}
    others = {name for name in found - packages if not name.startswith(("deploy/", "docs/", "systemd/"))}
    assert packages <= found
    assert others == {
        ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "PKG-INFO", "README.md",
        "pyproject.toml", "protos/generate.sh", "scripts/man_pages.py",
    }  # fmt: skip
    for directory in ("deploy", "docs", "systemd"):
        assert files_below(sources / directory) == files_below(REPOSITORY / directory)


def test_the_service_can_be_installed_from_the_source_archive(sources, tmp_path):
    make = ["make", "-s", "install-service"]
    for name, directory in (("here", sources), ("clone", REPOSITORY)):
        subprocess.run([*make, f"DESTDIR={tmp_path / name}"], cwd=directory, check=True, timeout=60)
    assert files_below(tmp_path / "here") == files_below(tmp_path / "clone")


def test_every_command_of_the_wheel_has_its_help(installed):
    listed = run(installed, "python", "-c", ALL_COMMANDS)
    assert listed.returncode == 0, listed.stderr
    commands = [line.split() for line in listed.stdout.splitlines()]
    assert {command[0] for command in commands if len(command) > 1} == set(PROGRAMS)
    failed = {}
    for command in commands:
        done = run(installed, *command, "--help")
        if done.returncode or not done.stdout.startswith(f"Usage: {' '.join(command)} "):
            failed[" ".join(command)] = done.stdout + done.stderr
    assert failed == {}


def test_what_runs_is_the_wheel_and_not_the_clone(installed):
    code = "import rblntop, rblntopd, rblntop_api\n"
    code += "print(*rblntop.__path__, *rblntopd.__path__, *rblntop_api.__path__)"
    done = run(installed, "python", "-c", code)
    assert done.returncode == 0, done.stderr
    assert all(path.startswith(f"{installed}/lib/") for path in done.stdout.split())


def test_the_installed_wheel_offers_the_plugin_to_vllm(installed):
    code = "from importlib.metadata import entry_points as found\n"
    code += "(plugin,) = found(group='vllm.general_plugins', name='rblntop')\n"
    code += "print(plugin.load().__module__, plugin.dist.locate_file(''))"
    done = run(installed, "python", "-c", code)
    assert done.stdout.split() == [
        "rblntopd.probe.plugin",
        str(next(installed.glob("lib/python*/site-packages"))),
    ]
