"""Directories of ours, whatever the umask, and none that others could have filled."""

from __future__ import annotations

import os
import stat

import pytest

from rblntopd.private_dir import make_private
from rblntopd.probe_export import exported_probe


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_all_that_is_made_is_for_ourselves_alone_whatever_the_umask(tmp_path):
    before = os.umask(0o002)
    try:
        make_private(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert (mode(tmp_path / "a"), mode(tmp_path / "a" / "b")) == (0o700, 0o700)


def test_a_directory_that_others_can_write_is_refused_with_what_to_do(tmp_path):
    tmp_path.chmod(0o775)
    with pytest.raises(OSError, match=r"can be written by others \(mode 775\): chmod go-w /"):
        make_private(tmp_path)
    tmp_path.chmod(0o1777)  # As /tmp: nobody can touch the files of others.
    make_private(tmp_path)


def test_a_directory_of_somebody_else_is_refused(tmp_path, monkeypatch):
    if tmp_path.stat().st_uid == 0:
        os.chown(tmp_path, 54321, -1)
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    with pytest.raises(OSError, match=r"belongs to uid \d+, not to root or uid 12345"):
        make_private(tmp_path)


def test_a_link_or_a_file_is_no_directory(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with pytest.raises(OSError, match=f"{name} is not a directory"):
            make_private(tmp_path / name)


def test_a_probe_that_others_could_have_changed_is_not_used(tmp_path):
    found = exported_probe(tmp_path / "probe")
    assert exported_probe(tmp_path / "probe") == found
    found.chmod(0o777)
    with pytest.raises(OSError, match=f"{found.name} can be written by others"):
        exported_probe(tmp_path / "probe")
