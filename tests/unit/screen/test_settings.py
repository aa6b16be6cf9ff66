"""Settings survive, and nothing about their file is a failure."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rblntop.settings import Settings, SettingsFile, settings_path


def test_without_a_file_they_are_the_defaults(tmp_path):
    assert SettingsFile(tmp_path / "settings.json").read() == (Settings(), "")


def test_what_was_changed_is_read_again(tmp_path):
    path = tmp_path / "new" / "rblntop" / "settings.json"
    assert SettingsFile(path).change(window_s=60, theme="light", panels=("graphs",))[1] == ""
    assert SettingsFile(path).read() == (Settings(60, 1.0, "light", ("graphs",)), "")
    assert os.listdir(path.parent) == ["settings.json"]


def test_another_dashboards_choice_is_not_undone(tmp_path):
    one, other = (SettingsFile(tmp_path / "settings.json") for _ in range(2))
    one.change(window_s=60)
    other.change(theme="light")
    assert one.read()[0] == Settings(60, theme="light")


@pytest.mark.parametrize("content", [b"", b"{oops", b"[]", b"7", b"\xff\xfe", b"[" * 60_000])
def test_garbage_is_told_and_replaced_only_by_a_change(tmp_path, content):
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    settings, problem = SettingsFile(path).read()
    assert settings == Settings()
    assert str(path) in problem
    assert path.read_bytes() == content
    assert SettingsFile(path).change(window_s=1) == (Settings(window_s=1), "")
    assert json.loads(path.read_bytes())["window_s"] == 1


def test_a_value_that_cannot_be_is_named_and_the_others_hold(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text('{"window_s": 7, "interval_s": 5, "theme": 3, "panels": [1], "unknown": 1}')
    settings, problem = SettingsFile(path).read()
    assert settings == Settings(interval_s=5.0)
    assert problem.endswith("not usable: window_s, theme, panels")


def test_a_directory_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    settings, problem = SettingsFile(tmp_path / "file" / "settings.json").change(window_s=60)
    assert settings.window_s == 60
    assert problem.startswith("settings cannot be kept in ")


@pytest.mark.parametrize(
    ("environment", "path"),
    [
        ({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}, "/c/rblntop/settings.json"),
        ({"HOME": "/h"}, "/h/.config/rblntop/settings.json"),
        ({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}, "/h/.config/rblntop/settings.json"),
    ],
)
def test_where_they_are(environment, path):
    assert settings_path(environment) == Path(path)
