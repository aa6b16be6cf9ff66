"""Where a daemon listens, and who else may not."""

from __future__ import annotations

import grp
import os
import socket
import stat
from pathlib import Path

import pytest

from rblntopd.probe.runtime_dir import SERVICE_DIR
from rblntopd.server import socket_place
from rblntopd.server.socket_place import (
    SocketPlace,
    SocketPlaceError,
    default_socket,
    is_served,
    is_services,
    service_group,
    viewer_socket,
)


def test_a_runtime_directory_of_ones_own_has_its_own_socket(tmp_path):
    assert default_socket(tmp_path) == tmp_path / "rblntopd.sock"


def test_the_service_listens_in_the_services_directory_whoever_it_runs_as(tmp_path, monkeypatch):
    monkeypatch.setattr(socket_place, "SERVICE_SOCKET_DIR", tmp_path)
    assert default_socket(SERVICE_DIR) == tmp_path / "rblntopd.sock"
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert default_socket(SERVICE_DIR) == SERVICE_DIR / "rblntopd.sock"


def test_the_services_directory_is_the_services_while_that_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(socket_place, "SERVICE_SOCKET_DIR", tmp_path / "sockets")
    assert not is_services(SERVICE_DIR)
    (tmp_path / "sockets").mkdir()
    assert is_services(SERVICE_DIR)
    assert not is_services(tmp_path)


def test_the_viewers_socket_lies_beside_the_operators():
    assert viewer_socket(Path("/run/x/rblntopd.sock")) == Path("/run/x/rblntopd-ro.sock")
    assert viewer_socket(Path("/run/x/mine")) == Path("/run/x/mine-ro.sock")


def test_only_sockets_of_the_service_are_for_a_group_and_only_for_one_there_is(tmp_path, monkeypatch):
    monkeypatch.setattr(socket_place, "SERVICE_SOCKET_DIR", tmp_path)
    assert service_group(tmp_path / "d.sock", "root") == "root"
    assert service_group(tmp_path / "d.sock", "no-such-group") == ""
    assert service_group(tmp_path / "elsewhere" / "d.sock", "root") == ""


@pytest.mark.parametrize(("group", "mode"), [("", 0o600), (grp.getgrgid(os.getgid()).gr_name, 0o660)])
def test_the_group_may_connect_and_nobody_else(tmp_path, group, mode):
    place = SocketPlace(tmp_path / "d.sock", group)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(place.path))
        place.set_mode()
    found = place.path.stat()
    assert stat.S_IMODE(found.st_mode) == mode
    assert found.st_gid == os.getgid()


def test_a_group_that_is_not_there_is_an_error(tmp_path):
    place = SocketPlace(tmp_path / "d.sock", "no-such-group")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(place.path))
        with pytest.raises(SocketPlaceError, match="there is no group no-such-group"):
            place.set_mode()


def test_a_place_is_taken_once_and_free_again_after(tmp_path):
    place = SocketPlace(tmp_path / "d.sock")
    assert not is_served(place.path)
    place.take()
    assert is_served(place.path)
    with pytest.raises(SocketPlaceError, match=r"another rblntopd \(pid \d+\) already serves .*d\.sock"):
        SocketPlace(place.path).take()
    place.release()
    assert not is_served(place.path)
    SocketPlace(place.path).take()


def test_a_socket_that_a_dead_daemon_left_is_removed(tmp_path):
    path = tmp_path / "d.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    SocketPlace(path).take()
    assert not path.exists()


def test_a_directory_of_somebody_else_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    tmp_path.chmod(0o777)
    if tmp_path.stat().st_uid == 0:
        os.chown(tmp_path, 54321, -1)
    with pytest.raises(SocketPlaceError, match=r"belongs to uid \d+, not to root or uid 12345"):
        SocketPlace(tmp_path / "d.sock").take()
