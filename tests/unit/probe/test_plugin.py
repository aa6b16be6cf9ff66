"""What vLLM calls: nothing may leave it."""

from __future__ import annotations

import logging
import sys
from types import ModuleType
from typing import Any

import pytest

from rblntopd.probe import plugin


class PlainScheduler:
    """A class that get_scheduler_cls could return; not enough of a scheduler to be attached to."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def schedule(self) -> str:
        self.calls.append("schedule")
        return "output"

    def update_from_output(self, scheduler_output: str, model_runner_output: str) -> str:
        self.calls.append("update")
        return "result"

    def shutdown(self) -> None:
        self.calls.append("shutdown")


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> Any:
    class SchedulerConfig:
        found: type = PlainScheduler

        def get_scheduler_cls(self) -> type:
            return self.found

    module = ModuleType("vllm.config.scheduler")
    module.SchedulerConfig = SchedulerConfig  # type: ignore[attr-defined]
    for name in ("vllm", "vllm.config"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "vllm.config.scheduler", module)
    return SchedulerConfig


def test_registering_twice_wraps_once(vllm: Any) -> None:
    plugin.register()
    first = vllm.get_scheduler_cls
    plugin.register()
    assert vllm.get_scheduler_cls is first


def test_off_leaves_vllm_alone(vllm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    original = vllm.get_scheduler_cls
    monkeypatch.setenv("RBLNTOP_PROBE", "off")
    plugin.register()
    assert vllm.get_scheduler_cls is original


def test_a_mode_that_does_not_exist_is_off_with_the_allowed_ones(
    vllm: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original = vllm.get_scheduler_cls
    monkeypatch.setenv("RBLNTOP_PROBE", "contorl")
    plugin.register()
    assert vllm.get_scheduler_cls is original
    assert "RBLNTOP_PROBE='contorl' is not one of off, observe, control" in caplog.text


def test_without_a_vllm_that_we_know_nothing_is_raised(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "vllm.config.scheduler", None)
    plugin.register()
    assert "could not hook into this vLLM" in caplog.text


def test_a_scheduler_that_cannot_be_attached_to_works_as_it_would_alone(
    vllm: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    plugin.register()
    scheduler = vllm().get_scheduler_cls()()
    assert scheduler.schedule() == "output"
    assert scheduler.update_from_output("output", "model") == "result"
    scheduler.shutdown()
    assert scheduler.calls == ["schedule", "update", "shutdown"]
    assert [record.getMessage() for record in caplog.records] == [
        "rblntop: the probe is off: 'PlainScheduler' object has no attribute 'finished_req_ids'"
    ]


def test_a_class_without_steps_is_returned_as_it_is(vllm: Any, caplog: pytest.LogCaptureFixture) -> None:
    vllm.found = int
    plugin.register()
    assert vllm().get_scheduler_cls() is int
    assert "cannot be observed" in caplog.text


def test_the_probed_class_keeps_its_name_and_is_made_once(vllm: Any) -> None:
    plugin.register()
    found = vllm().get_scheduler_cls()
    assert issubclass(found, PlainScheduler)
    assert (found.__module__, found.__qualname__) == (PlainScheduler.__module__, PlainScheduler.__qualname__)
    assert vllm().get_scheduler_cls() is found
