"""Which engines a name means."""

from __future__ import annotations

import pytest

from rblntopd.engines.selector import matches


@pytest.mark.parametrize(
    ("selector", "meant"),
    [
        ("", True),
        ("prod-70b/0", True),
        ("id-1", True),
        ("prod-70b/*", True),
        ("prod-*", True),
        ("prod-70b/[01]", True),
        ("model:llama", True),
        ("prod-70b", False),
        ("id-*", False),
        ("PROD-*", False),
        ("model:lla*", False),
        ("model:", False),
        ("llama", False),
        ("other/0,prod-70b/0", True),
        ("other/0, id-1", True),
        ("other/0,prod-*", True),
        ("other/0,another/0", False),
        (",", False),
    ],
)
def test_an_engine_is_meant_by_name_id_glob_or_model(selector, meant):
    assert matches(selector, "prod-70b/0", "id-1", "llama") is meant


def test_a_name_with_a_glob_in_it_means_itself():
    assert matches("odd[1]", "odd[1]", "id", "m")
    assert matches("odd[1]", "odd1", "id", "m")
