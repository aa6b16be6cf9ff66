"""What `make install` puts where, and takes away again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent.parent


@pytest.fixture
def make(tmp_path):
    def make(target, *variables):
        command = ["make", "-s", "-C", str(REPOSITORY), target, f"DESTDIR={tmp_path}", *variables]
        subprocess.run(command, check=True, capture_output=True, text=True)
        return {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}

    return make


def test_the_service_lies_where_systemd_looks(make, tmp_path):
    assert make("install-service") == {
        "etc/rblntop/rblntopd.toml",
        "usr/local/lib/systemd/system/rblntopd.service",
        "usr/local/lib/sysusers.d/rblntop.conf",
        "usr/local/lib/tmpfiles.d/rblntop.conf",
        "usr/local/share/doc/rblntop/configuration.md",
        "usr/local/share/doc/rblntop/service.md",
        "usr/local/share/doc/rblntop/vllm-drop-in.conf",
    }
    unit = tmp_path / "usr/local/lib/systemd/system/rblntopd.service"
    assert "\nExecStart=/usr/local/bin/rblntopd serve\n" in unit.read_text()
    assert unit.stat().st_mode & 0o777 == 0o644


def test_another_prefix_is_in_the_unit_as_well(make, tmp_path):
    make("install-service", "prefix=/usr")
    unit = tmp_path / "usr/lib/systemd/system/rblntopd.service"
    assert "\nExecStart=/usr/bin/rblntopd serve\n" in unit.read_text()
    drop_in = tmp_path / "usr/share/doc/rblntop/vllm-drop-in.conf"
    assert "\nEnvironment=PYTHONPATH=/usr/lib/rblntop-probe\n" in drop_in.read_text()


def test_a_configuration_that_is_there_is_left_alone_and_survives_the_end(make, tmp_path):
    make("install-service")
    path = tmp_path / "etc/rblntop/rblntopd.toml"
    path.write_text('log_level = "debug"\n')
    make("install-service")
    assert make("uninstall") == {"etc/rblntop/rblntopd.toml"}
    assert path.read_text() == 'log_level = "debug"\n'
