"""Rings that come, and rings that earlier engines left."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from rblntopd.probe import engine_files
from rblntopd.probe.engine_files import KEEP_DEAD, create_ring, create_server, prune_dead_rings
from rblntopd.probe.ring_writer import RingError, RingWriter

HOLD_A_RING = """
import sys, uuid
from pathlib import Path
from rblntopd.probe.ring_writer import RingWriter
boot_id = str(uuid.uuid4())
path = Path(sys.argv[1])
ring = RingWriter.create(path, {"name": "m/0"}, boot_id=boot_id, start_ticks=1, in_flight_slots=1, capacity=4)
print("up", flush=True)
sys.stdin.read()
"""


def dead_ring(directory: Path, number: int, name: str = "m/0") -> Path:
    path = directory / f"boot-{10**8 + number}-1.ring"
    ring = RingWriter.create(
        path, {"name": name}, boot_id=str(uuid.uuid4()), start_ticks=1, in_flight_slots=1, capacity=4
    )
    ring.close()
    path.with_suffix(".sock").touch()
    os.utime(path, (number, number))
    return path


def test_the_newest_dead_rings_of_a_name_stay(tmp_path: Path) -> None:
    paths = [dead_ring(tmp_path, number) for number in range(KEEP_DEAD + 2)]
    other = dead_ring(tmp_path, 99, name="other/0")
    prune_dead_rings(tmp_path, "m/0")
    assert sorted(tmp_path.glob("*.ring")) == sorted([*paths[-KEEP_DEAD:], other])
    assert not paths[0].with_suffix(".sock").exists()


def test_a_ring_whose_engine_lives_stays_however_many_there_are(tmp_path: Path) -> None:
    alive = tmp_path / "boot-99-1.ring"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD_A_RING, str(alive)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == b"up\n"
        os.utime(alive, (0, 0))
        for number in range(1, KEEP_DEAD + 2):
            dead_ring(tmp_path, number)
        prune_dead_rings(tmp_path, "m/0")
        assert alive.exists()
        engine.communicate()


def test_what_is_no_ring_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "garbage-1-1.ring").write_bytes(b"garbage")
    (tmp_path / "link-1-1.ring").symlink_to("/etc/passwd")
    prune_dead_rings(tmp_path, "m/0")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_ring_takes_no_more_than_it_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_files, "FREE_FACTOR", 1 << 40)
    with pytest.raises(RingError, match=r"MB free: the ring takes 15 MB and leaves as much"):
        create_ring(tmp_path / "a.ring", {}, 1)
    assert not list(tmp_path.iterdir())


def test_without_a_control_socket_there_is_a_reason(tmp_path: Path) -> None:
    server, why = create_server(tmp_path / ("x" * 200))
    assert server is None
    assert "longer than 107 bytes" in why
