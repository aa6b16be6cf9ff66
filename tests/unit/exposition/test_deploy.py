"""Alerts, dashboard and runbook: nothing in them names what is not there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from rblntop.cli.ctl import rblnctl

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy" / "prometheus"
RULES = DEPLOY / "rblntop.rules.yml"
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
#: Of a histogram the page has these three.
SUFFIXES = re.compile(r"_(bucket|sum|count)$")
ALERTS = re.findall(r"alert: (\w+)", RULES.read_text())


def documented():
    """What is on the page: another test holds the documentation to it."""
    return set(re.findall(r"`(rblntop_[a-z_]+)", (ROOT / "docs" / "prometheus.md").read_text()))


def expressions():
    dashboard = json.loads((DEPLOY / "rblntop.dashboard.json").read_text())
    targets = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = re.findall(r"expr: (.+)", RULES.read_text())
    assert len(rules) == len(ALERTS)
    return [*targets, *rules]


@pytest.mark.parametrize("expression", expressions())
def test_every_metric_that_is_named_is_exposed(expression):
    without_texts = re.sub(r'"[^"]*"', "", expression)
    named = re.findall(r"rblntop_[a-z_]+", without_texts)
    assert named or re.search(r"\b(up|process_cpu_seconds_total)\{", without_texts)
    known = documented()
    assert {name for name in named if name not in known and SUFFIXES.sub("", name) not in known} == set()


def test_every_alert_has_its_section_and_every_section_its_alert():
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE) == [
        "RblntopDaemonAbsent", *[name for name in ALERTS if name != "RblntopDaemonAbsent"],
    ]  # fmt: skip
    links = re.findall(r"runbook: docs/runbook.md#(\w+)", RULES.read_text())
    assert links == [name.lower() for name in ALERTS]


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`rblnctl ([a-z]+(?: open)?)", RUNBOOK))))
def test_every_command_of_the_runbook_is_there(command):
    assert CliRunner().invoke(rblnctl, [*command.split(), "--help"]).exit_code == 0


@pytest.mark.parametrize(
    "words", [("check", "rules", str(RULES)), ("test", "rules", "rblntop.rules.test.yml")]
)
def test_promtool_agrees(words):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    found = subprocess.run([promtool, *words], cwd=DEPLOY, text=True, capture_output=True)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_alert_has_a_test_for_promtool():
    tested = set(re.findall(r"alertname: (\w+)", (DEPLOY / "rblntop.rules.test.yml").read_text()))
    assert tested == set(ALERTS)
