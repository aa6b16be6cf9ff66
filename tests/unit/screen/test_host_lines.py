"""The host and the engine's processes, as lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rblntop.blocks.host_lines import GIB, host_line, process_lines
from rblntop.blocks.plain_screen import plain_screen
from rblntop.model import HostUsage, ProcessRole, ProcessUsage
from rblntop.model.from_proto import snapshot_from_proto
from rblntop.source.examples import serving
from rblntop.text.line import plain
from rblntop_api.v1 import host_pb2, snapshot_pb2


@pytest.fixture
def host():
    worker = ProcessUsage(41, ProcessRole.WORKER, "PP1", 4.123, 3 * GIB, 90)
    core = ProcessUsage(40, ProcessRole.ENGINE_CORE, "", None, GIB, 12)
    return HostUsage(0.31, 64, 512 * GIB, 128 * GIB, (core, worker))


def test_the_host_and_the_engine_in_it_are_one_line(host):
    assert plain(host_line(host)) == "HOST  cpu 31 %  memory 128.0 of 512.0 GiB  engine 412 % 4.0 GiB"
    assert plain(host_line(replace(host, cpu_ratio=None, processes=()))) == (
        "HOST  cpu --  memory 128.0 of 512.0 GiB"
    )
    assert plain(host_line(None)) == "HOST  --"


def test_every_process_is_a_line(host):
    lines = [plain(line).split() for line in process_lines(host, 100)[1:]]
    assert lines == [
        ["40", "engine", "core", "--", "1.0", "GiB", "12", "threads"],
        ["41", "worker", "PP1", "412", "%", "3.0", "GiB", "90", "threads"],
    ]
    assert process_lines(None, 100) == process_lines(replace(host, processes=()), 100) == []


def test_many_processes_are_listed_up_to_a_number(host):
    many = replace(host, processes=host.processes * 20)
    assert plain(process_lines(many, 100)[-1]).strip() == "and 8 more"


def test_what_a_newer_daemon_or_a_hostile_one_says_is_still_a_line(host):
    odd = replace(host.processes[0], rank="\x1b[2J" * 30, cpu_ratio=float("nan"), memory_bytes=2**63)
    text = plain(process_lines(replace(host, processes=(odd,)), 80)[1])
    assert "\x1b" not in text
    assert len(text) <= 80


def test_show_ends_with_the_host(host):
    found = "\n".join(plain_screen(replace(serving((4, 4)), host=host)))
    assert "HOST  cpu 31 %" in found
    assert "worker PP1" in found
    assert "HOST" not in "\n".join(plain_screen(serving((4, 4))))


def test_a_message_becomes_the_same_values(host):
    message = snapshot_pb2.Snapshot(
        host=host_pb2.HostUsage(
            cpu_ratio=0.31, cpu_count=64, memory_total_bytes=512 * GIB, memory_used_bytes=128 * GIB,
            processes=[
                host_pb2.ProcessUsage(pid=40, role=2, memory_bytes=GIB, threads=12),
                host_pb2.ProcessUsage(
                    pid=41, role=3, rank="PP1", cpu_ratio=4.123, memory_bytes=3 * GIB, threads=90
                ),
            ],
        )
    )  # fmt: skip
    assert snapshot_from_proto(message).host == host
    assert snapshot_from_proto(snapshot_pb2.Snapshot()).host is None
