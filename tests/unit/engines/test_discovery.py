"""Where the daemon looks for rings."""

from __future__ import annotations

import logging

from rblntopd.engines.discovery import Discovery


def test_a_directory_that_cannot_be_read_is_named_once(tmp_path, caplog):
    # A file in its place: root may read any directory.
    (tmp_path / "engines").write_text("")
    discovery = Discovery(tmp_path)
    with caplog.at_level(logging.WARNING):
        discovery.look(set())
        discovery.look(set())
    (record,) = [found for found in caplog.records if str(tmp_path) in found.getMessage()]
    assert record.getMessage() == f"no engines are seen in {tmp_path / 'engines'}: Not a directory"


def test_a_directory_that_is_not_there_yet_is_nothing_to_speak_of(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        assert Discovery(tmp_path).look(set()) == ([], {})
    assert not caplog.records
