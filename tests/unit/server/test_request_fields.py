"""Fields that every request to change something has."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from rblntopd.server.errors import RequestError
from rblntopd.server.request_fields import change_id_text, reason_text, ttl_ms


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  peak load ", "peak load"),
        ("a\nb\tc", "a b c"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("a\u202eb\u200bc", "abc"),
        ("a" * 128, "a" * 128),
        ("\x00" * 4000 + "x", "x"),
    ],
)
def test_a_reason_keeps_its_text_and_nothing_that_a_terminal_obeys(given, kept):
    assert reason_text(given) == kept


@pytest.mark.parametrize(
    ("given", "size"),
    [("a" * 129, 129), ("ü" * 65, 130), ("x" * 3_000_000, 3_000_000)],
    ids=["a byte too long", "few characters", "endless"],
)
def test_a_reason_that_would_be_cut_is_refused_with_its_length(given, size):
    with pytest.raises(RequestError) as caught:
        reason_text(given)
    assert caught.value.text == f"reason=({size} bytes): allowed is at most 128 bytes of UTF-8"


@pytest.mark.parametrize("given", ["a b", "a\n", "\x1b", "x" * 33, "ü" * 17])
def test_a_change_id_that_nobody_could_type_is_refused(given):
    with pytest.raises(RequestError, match="change_id="):
        change_id_text(given)


@pytest.mark.parametrize("seconds", [0, -1, 7 * 86400 + 1])
def test_a_time_out_of_range_is_refused(seconds):
    with pytest.raises(RequestError, match=rf"ttl={seconds} s: allowed is 1 ms\.\.7 days"):
        ttl_ms("ttl", Duration(seconds=seconds))


def test_a_time_is_taken_to_the_ms():
    assert ttl_ms("ttl", Duration(seconds=7 * 86400)) == 604_800_000
    assert ttl_ms("ttl", Duration(nanos=1_000_000)) == 1
