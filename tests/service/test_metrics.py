"""A daemon that Prometheus scrapes."""

from __future__ import annotations

import socket
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.service.conftest import DaemonProcess


@pytest.fixture
def port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {
        (sample.name, sample.labels.get("engine")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if "group" not in sample.labels and "kind" not in sample.labels
    }


def test_steps_that_an_engine_makes_are_counted_from_the_daemons_start(
    engine, start_daemon, port, monkeypatch, until
):
    engine.steps(count=5)
    monkeypatch.setenv("RBLNTOPD_METRICS_LISTEN", f"127.0.0.1:{port}")
    start_daemon()
    before = scrape(port)
    assert before["rblntop_running_requests", "tiny/0"] == 6
    assert before["rblntop_output_tokens_total", "tiny/0"] == 0
    engine.steps(count=4)
    # A page is up to half a second old.
    until(lambda: scrape(port)["rblntop_output_tokens_total", "tiny/0"] == 12)
    found = scrape(port)
    assert found["rblntop_daemon_engines", None] == 1
    assert found["rblntop_daemon_audit_errors_total", None] == 0


def test_by_default_a_daemon_of_a_session_listens_nowhere(daemon):
    assert "metrics" not in daemon.log.read_text()


def test_a_port_that_was_asked_for_and_is_taken_ends_the_daemon(engine, runtime, port, monkeypatch):
    monkeypatch.setenv("RBLNTOPD_METRICS_LISTEN", f"127.0.0.1:{port}")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        daemon = DaemonProcess(runtime)
        try:
            assert daemon.process.wait(30) == 1
        finally:
            daemon.end()
    assert f"metrics cannot be served at 127.0.0.1:{port}: " in daemon.log.read_text()
