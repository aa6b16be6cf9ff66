"""Which engine is meant, and what is said when it is none."""

from __future__ import annotations

import pytest

from rblntopd.engines.registry import MAX_NAMED, EngineLookupError, Registry


@pytest.fixture
def registry(tmp_path, monkeypatch):
    # Where rings of one's own process would lie.
    monkeypatch.setattr("rblntopd.engines.discovery.engines_dirs", lambda _: [tmp_path])
    registry = Registry(tmp_path)
    yield registry
    registry.close()


def refusal(registry, wanted):
    registry.scan()
    with pytest.raises(EngineLookupError) as caught:
        registry.find(wanted)
    return caught.value


def test_without_an_engine_that_is_said(registry):
    assert str(refusal(registry, "")) == "no engine is running"
    assert str(refusal(registry, "a")) == "there is no engine 'a': none is running"


def test_the_engines_there_are_are_named(registry, make_ring):
    for name in ("b", "a"):
        make_ring(name)
    found = refusal(registry, "c")
    assert (str(found), found.known) == ("there is no engine 'c', there are: a, b", ["a", "b"])


def test_of_many_engines_the_first_are_named(registry, make_ring):
    for number in range(40):
        make_ring("x" * 48 + f"{number:02}")
    found = refusal(registry, "c")
    assert len(found.known) == MAX_NAMED // 50
    assert str(found).endswith(f"{found.known[-1]} and 20 more")
