"""Judges whether a Python loads the plugin when vLLM starts in it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from rblntop.doctor.facts import Facts, PluginAnswer
from rblntop.doctor.finding import Finding, note, ok, problem

PLUGIN = "rblntop"
MODES = ("off", "observe", "control")


def judge_asked(facts: Facts) -> list[Finding]:
    """The interpreter that ``--python`` named, with the environment of whoever asks."""
    answer = facts.asked
    if answer is None:
        return []
    who = answer.python
    if answer.error:
        return [
            problem("python", f"{who} cannot be asked: {answer.error}", f"{shlex.quote(who)} -c 'import sys'")
        ]
    if not answer.has_vllm:
        return [
            problem(
                "python",
                f"{who} has no vLLM: it is not an engine's",
                'head -1 "$(command -v vllm)"   # names the Python of the vllm on your PATH',
            )
        ]
    environment = facts.own_environment or {}
    return [
        *judge_installed(answer, facts.version, "python", who),
        *judge_plugins(environment, answer, "python", "here"),
        *judge_mode(environment, "python", "here"),
    ]


def judge_installed(answer: PluginAnswer, version: str, subject: str, who: str) -> list[Finding]:
    """Whether the plugin is there, can be imported and is of our version."""
    python = shlex.quote(answer.python)
    install = f"{python} -m pip install --no-deps rblntop=={version}   # then restart the engine"
    if not answer.installed:
        text = f"{who}: the plugin is not installed in {answer.python}"
        return [problem(subject, text, install)]
    if answer.import_error:
        text = f"{who}: the plugin in {answer.python} cannot be imported: {answer.import_error}"
        return [problem(subject, text, install)]
    if answer.probe_version != version:
        text = f"{who}: {answer.python} has the plugin of {answer.probe_version}, this is {version}"
        return [note(subject, text, install)]
    return [ok(subject, f"{who}: plugin {answer.probe_version} is installed in {answer.python}")]


def judge_plugins(
    environment: Mapping[str, str], answer: PluginAnswer, subject: str, who: str
) -> list[Finding]:
    """What ``VLLM_PLUGINS`` lets in: unset is everything, and empty is nothing (vllm.envs.VLLM_PLUGINS)."""
    value = environment.get("VLLM_PLUGINS")
    if value is None:
        return []
    names = value.split(",")
    if PLUGIN not in names:
        wanted = f"{value},{PLUGIN}" if value else ""
        mend = f"export VLLM_PLUGINS={shlex.quote(wanted)}" if wanted else "unset VLLM_PLUGINS"
        text = f"{who}: VLLM_PLUGINS={value!r} leaves {PLUGIN} out"
        return [problem(subject, text, f"{mend}   # and restart the engine")]
    if names == [PLUGIN] and answer.has_vllm_rbln:
        text = f"{who}: VLLM_PLUGINS={value!r} leaves the RBLN platform out: the engine does not use NPUs"
        return [note(subject, text, "unset VLLM_PLUGINS   # and restart the engine")]
    return []


def judge_mode(environment: Mapping[str, str], subject: str, who: str) -> list[Finding]:
    """What ``RBLNTOP_PROBE`` says."""
    value = environment.get("RBLNTOP_PROBE", "") or "control"
    mend = "unset RBLNTOP_PROBE   # and restart the engine"
    if value not in MODES:
        allowed = ", ".join(MODES)
        text = f"{who}: RBLNTOP_PROBE={value!r} is not one of {allowed}, which switches the probe off"
        return [problem(subject, text, mend)]
    if value == "off":
        return [problem(subject, f"{who}: RBLNTOP_PROBE=off switches the probe off", mend)]
    if value == "observe":
        return [note(subject, f"{who}: RBLNTOP_PROBE=observe: it is watched, and no limit can be changed")]
    return []
