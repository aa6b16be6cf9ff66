"""What a shell gets of the commands: completion, and manual pages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent.parent
BIN = Path(sys.executable).parent


@pytest.fixture
def environment():
    return os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def line_for(shell):
    """What docs/shell.md has people put into their shell's configuration."""
    page = (REPOSITORY / "docs" / "shell.md").read_text()
    (line,) = re.findall(rf"^.*_RBLNCTL_COMPLETE={shell}_source.*$", page, re.MULTILINE)
    return line


@pytest.mark.parametrize(
    ("program", "words", "wanted"),
    [
        ("rblnctl", ["doc"], {"doctor"}),
        ("rblnctl", ["set", "--max"], {"--max-num-seqs"}),
        ("rblnctl", ["admission", ""], {"close", "open"}),
        ("rblntop", ["--re"], {"--readonly", "--replay"}),
        ("rblntopd", ["ch"], {"check-config"}),
    ],
)
def test_bash_completes_after_the_line_of_the_docs(environment, program, words, wanted):
    line = line_for("bash").replace("RBLNCTL", program.upper()).replace("rblnctl", program)
    script = f"""
    set -e
    {line}
    COMP_WORDS=({program} {" ".join(f"'{word}'" for word in words)})
    COMP_CWORD={len(words)}
    _{program}_completion {program}
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    done = subprocess.run(
        [bash, "--norc", "-c", script], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert set(done.stdout.split()) == wanted


@pytest.mark.parametrize(("shell", "text"), [("zsh", "#compdef rblnctl"), ("fish", "complete --no-files")])
def test_other_shells_get_their_own_script(environment, shell, text):
    (command,) = re.findall(r"_RBLNCTL_COMPLETE=\w+ rblnctl", line_for(shell))
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0
    assert text in done.stdout


def test_an_unknown_shell_is_a_failure(environment):
    done = subprocess.run(
        ["rblnctl"], env=environment | {"_RBLNCTL_COMPLETE": "odd_source"}, capture_output=True, timeout=60
    )
    assert done.returncode == 1


def test_every_command_has_a_manual_page_of_its_own_help(environment, tmp_path):
    script = REPOSITORY / "scripts" / "man_pages.py"
    subprocess.run(
        [sys.executable, str(script), str(tmp_path / "man1")],
        env=environment | {"SOURCE_DATE_EPOCH": "0"},
        check=True,
        timeout=60,
    )
    pages = {path.stem: path.read_text() for path in (tmp_path / "man1").iterdir()}
    assert {"rblntop", "rblntop-demo", "rblnctl", "rblntopd", "rblntopd-probe-export"} <= set(pages)
    from rblntop.cli.ctl import COMMANDS

    assert {f"rblnctl-{name}" for name in COMMANDS} <= set(pages)
    assert "rblnctl-admission-close" in pages
    assert "1970-01-01" in pages["rblnctl"]
    assert r"\-\-max\-num\-seqs" in pages["rblnctl-set"] or "--max-num-seqs" in pages["rblnctl-set"]
