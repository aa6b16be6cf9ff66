"""What ``rblntop demo`` takes, and what it says."""

from __future__ import annotations

import pytest

from rblntop.cli.exit_codes import DONE, FAILED, USAGE
from rblntop.cli.main import rblntop
from rblntop.cli.run import run_command
from rblntop.demo.scenarios import FIRST, SCENARIOS
from rblntopd.sim.engine import scenarios


def test_the_scenarios_are_those_of_the_sim_engine():
    assert {one.name: one.summary for one in scenarios.SCENARIOS.values()} == SCENARIOS
    assert FIRST in SCENARIOS


def test_an_unknown_scenario_is_refused_with_those_there_are(capsys):
    assert run_command(rblntop, ["demo", "--scenario", "calm"]) == USAGE
    said = capsys.readouterr().err
    assert all(f"'{name}'" in said for name in SCENARIOS)


def test_they_are_listed_with_what_there_is_to_see(capsys):
    assert run_command(rblntop, ["demo", "--list"]) == DONE
    listed = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1) for line in listed] == [[*pair] for pair in SCENARIOS.items()]


def test_help_lists_them_too(capsys):
    assert run_command(rblntop, ["demo", "--help"]) == DONE
    said = capsys.readouterr().out
    assert all(name in said for name in SCENARIOS)


@pytest.mark.parametrize(
    "arguments", [["--engine", "vllm", "--scenario", "idle"], ["--engine", "cuda"], ["--seconds", "-1"]]
)
def test_what_makes_no_sense_is_a_usage_error(arguments):
    assert run_command(rblntop, ["demo", *arguments]) == USAGE


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/false"])
def test_without_vllm_it_says_what_to_do(monkeypatch, capsys, python):
    monkeypatch.setenv("RBLNTOP_ENGINE_PYTHON", python)
    assert run_command(rblntop, ["demo", "--engine", "vllm"]) == FAILED
    assert "RBLNTOP_ENGINE_PYTHON" in capsys.readouterr().err
