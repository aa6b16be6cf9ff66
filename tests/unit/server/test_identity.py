"""Tokens that say who a caller is."""

from __future__ import annotations

import pytest

from rblntopd.audit.caller import UNVERIFIED, Caller, user
from rblntopd.server.identity import EXPIRES_S, MAX_TOKENS_OF_USER, METADATA_KEY, Identities


@pytest.fixture
def clock():
    return [100.0]


@pytest.fixture
def identities(clock):
    return Identities(lambda: clock[0])


def sent(token):
    return ((METADATA_KEY, token),)


def test_a_token_says_who_it_was_given_to(identities):
    token = identities.give(1000, "ops")
    assert identities.caller(sent(token)) == Caller("uid 1000 (ops)", 1000, True)
    # It is good for more than one call.
    assert identities.caller(sent(token)).verified


def test_a_user_without_a_name_has_a_number(identities):
    assert identities.caller(sent(identities.give(1000, ""))).name == "uid 1000"


@pytest.mark.parametrize("metadata", [None, (), sent(""), sent("guess"), sent(b"\0"), (("other", "x"),)])
def test_a_call_without_a_known_token_is_unverified(identities, metadata):
    identities.give(1000, "ops")
    assert identities.caller(metadata) == UNVERIFIED


def test_a_token_expires(identities, clock):
    token = identities.give(1000, "ops")
    clock[0] += EXPIRES_S
    assert identities.caller(sent(token)) == UNVERIFIED


def test_tokens_are_bounded_and_nobody_pushes_out_those_of_others(identities, clock):
    mine = identities.give(1000, "ops")
    first, *_, last = [identities.give(0, "root") for _ in range(MAX_TOKENS_OF_USER + 1)]
    assert identities.caller(sent(first)) == UNVERIFIED
    assert identities.caller(sent(last)).uid == 0
    assert identities.caller(sent(mine)).uid == 1000
    clock[0] += EXPIRES_S
    identities.give(0, "root")
    assert len(identities._tokens[0]) == 1


def test_tokens_are_not_to_be_guessed(identities):
    tokens = {identities.give(0, "root") for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) >= 32 for token in tokens)


def test_a_long_name_is_cut_as_the_journal_cuts_it():
    assert len(user(1000, "ü" * 100).name.encode()) <= 64
