"""Where the client looks for a daemon."""

from __future__ import annotations

import pytest

from rblntop.client import Address, AddressError, UnreachableError, find_address

NOTHING = {"environment": {}, "uid": 7, "usable": lambda path: False}


def test_what_was_given_wins():
    environment = {"RBLNTOP_ADDRESS": "unix:/b"}
    assert find_address("unix:/a", environment=environment) == Address("unix:/a")
    assert find_address(environment=environment) == Address("unix:/b")


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("unix:/run/x.sock", "unix:/run/x.sock"),
        ("unix:///run/x.sock", "unix:/run/x.sock"),
        ("/run/x.sock", "unix:/run/x.sock"),
        ("host:50661", "host:50661"),
        ("[::1]:50661", "[::1]:50661"),
    ],
)
def test_spellings(text, target):
    assert find_address(text).target == target


def test_tcp_with_certificates_has_a_scheme():
    address = find_address("tls://host:50661")
    assert (address.target, address.tls, str(address)) == ("host:50661", True, "tls://host:50661")
    assert not find_address("host:50661").tls


@pytest.mark.parametrize(
    "text",
    [
        "tls://host",
        "tls:///run/x.sock",
        "host",
        "host:",
        "host:0",
        "host:70000",
        "unix:relative",
        "a b:1",
        "/" + "x" * 107,
    ],
)
def test_what_cannot_be_an_address_says_so(text):
    with pytest.raises(AddressError, match=r"address|socket path"):
        find_address(text)


def test_the_local_daemon_is_the_first_socket_that_we_may_use():
    environment = {"RBLNTOP_RUNTIME_DIR": "/r", "XDG_RUNTIME_DIR": "/x"}
    tried = []

    def usable(path):
        tried.append(path)
        return path.startswith("/tmp")

    found = find_address(environment=environment, uid=7, usable=usable)
    assert found.target == "unix:/tmp/rblntop-7/rblntopd.sock"
    assert tried == [
        "/r/rblntopd.sock",
        "/run/rblntopd/rblntopd.sock",
        "/run/rblntopd/rblntopd-ro.sock",
        "/run/rblntop/rblntopd.sock",
        "/x/rblntop/rblntopd.sock",
        "/tmp/rblntop-7/rblntopd.sock",
    ]


def test_without_any_socket_the_error_lists_them_and_says_how_to_start_a_daemon():
    with pytest.raises(UnreachableError, match=r"/tmp/rblntop-7/rblntopd\.sock") as caught:
        find_address(**NOTHING)
    assert "rblntopd serve" in str(caught.value)


def test_the_viewers_socket_is_readonly():
    assert Address("unix:/run/rblntopd/rblntopd-ro.sock").readonly
    assert Address("unix:/tmp/mine-ro.sock").readonly
    assert not Address("unix:/run/rblntopd/rblntopd.sock").readonly
