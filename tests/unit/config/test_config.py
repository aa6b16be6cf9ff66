"""The configuration: a file, the environment and options, and what is said of mistakes."""

from __future__ import annotations

import pytest

from rblntopd.config import file
from rblntopd.config.config import load
from rblntopd.config.errors import ConfigError
from rblntopd.config.keys import KEYS
from rblntopd.config.report import report


@pytest.fixture
def written(tmp_path):
    """Writes the file."""

    def written(text):
        path = tmp_path / "rblntopd.toml"
        path.write_text(text)
        return path

    return written


def problems(path, environ=None, **options):
    with pytest.raises(ConfigError) as caught:
        load(options, environ or {}, path)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


def test_options_win_over_the_environment_and_that_over_the_file(written):
    path = written('state_dir = "/file"\nruntime_dir = "/file"\nlog_level = "error"\n')
    environ = {"RBLNTOP_STATE_DIR": "/environment", "RBLNTOP_RUNTIME_DIR": "/environment"}
    config = load({"runtime_dir": "/option", "state_dir": None}, environ, path)
    told = {name: (config.values[name], config.sources[name]) for name in config.sources}
    assert told["runtime_dir"] == ("/option", "--runtime-dir")
    assert told["state_dir"] == ("/environment", "$RBLNTOP_STATE_DIR")
    assert told["log_level"] == ("error", str(path))
    assert told["write_deadline_s"] == (10.0, "default")


def test_the_file_wins_over_the_rules_of_the_host(written):
    config = load({}, {"XDG_RUNTIME_DIR": "/session"}, written('runtime_dir = "/file"'))
    assert str(config.socket) == "/file/rblntopd.sock"
    assert str(config.viewer_socket) == "/file/rblntopd-ro.sock"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("write_deadline = 3", "there is no key write_deadline: did you mean write_deadline_s?"),
        ("[tpc]\nlisten = 'x:1'", "there is no key tpc: did you mean tcp?"),
        ("[tcp]\nlisten_on = 'x:1'", "there is no key tcp.listen_on: did you mean tcp.listen?"),
        ("zzz = 1", "there is no key zzz"),
        ("tcp = 1", "tcp = 1: allowed is a table"),
        ("write_deadline_s = 0", "write_deadline_s = 0: allowed is a number in 0.1..3600"),
        ("write_deadline_s = nan", "write_deadline_s = nan: allowed is a number in 0.1..3600"),
        ("write_deadline_s = true", "write_deadline_s = True: allowed is a number in 0.1..3600"),
        ("write_deadline_s = '5'", 'write_deadline_s = "5": allowed is a number in 0.1..3600'),
        ("reapply_limits = 1", "reapply_limits = 1: allowed is true or false"),
        ("log_level = 'loud'", 'log_level = "loud": allowed is one of debug, info, warning, error'),
        ("state_dir = 'here'", 'state_dir = "here": allowed is an absolute path'),
        ("listen = '0.0.0.0:1'", 'listen = "0.0.0.0:1": allowed is unix:/path/of/the/socket'),
        (
            "[tcp.roles]\nops = 'root'",
            "tcp.roles = {'ops': 'root'}: allowed is a table of names, each with one of viewer, operator",
        ),
        (
            "[tcp]\nlisten = ':1'",
            'tcp.listen = ":1": allowed is HOST:PORT with a port in 1..65535 (or empty: off)',
        ),
        ("listen = ", "Invalid value (at end of document)"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_what_is_allowed(written, text, problem):
    assert problems(written(text)) == [problem]


def test_all_mistakes_are_told_at_once(written):
    path = written("log_level = 'loud'\nwrite_dedline_s = 3")
    found = problems(path, {"RBLNTOPD_REAPPLY_LIMITS": "perhaps"}, write_deadline_s="soon")
    assert found == [
        'log_level = "loud": allowed is one of debug, info, warning, error',
        "there is no key write_dedline_s: did you mean write_deadline_s?",
        "$RBLNTOPD_REAPPLY_LIMITS = perhaps: allowed is true or false",
        "--write-deadline = soon: allowed is a number in 0.1..3600",
    ]


def test_a_variable_that_there_is_not_is_a_mistake(written):
    found = problems(written(""), {"RBLNTOPD_LISTN": "unix:/x"})
    assert found == ["there is no variable $RBLNTOPD_LISTN: did you mean $RBLNTOPD_LISTEN?"]


def test_tcp_without_certificates_is_refused(written):
    needed = "tcp.certificate, tcp.key, tcp.client_ca, tcp.roles"
    text = f"tcp.listen needs {needed}: TCP is served with certificates only"
    assert problems(written("tcp.listen = '0.0.0.0:50661'")) == [text]


def test_tcp_is_off_unless_it_is_told_where_to_listen(written):
    assert load({}, {}, written("tcp.roles = {a = 'viewer'}")).tcp is None
    text = """
[tcp]
listen = "[::1]:50661"
certificate = "/c"
key = "/k"
client_ca = "/a"
roles = { "ops.example" = "operator" }
"""
    tcp = load({}, {}, written(text)).tcp
    assert (tcp.listen, str(tcp.client_ca), tcp.roles) == ("[::1]:50661", "/a", {"ops.example": "operator"})


def test_roles_may_come_from_the_environment(written):
    config = load({}, {"RBLNTOPD_TCP_ROLES": "a=viewer,CN=b=operator"}, written(""))
    assert config.values["tcp.roles"] == {"a": "viewer", "CN=b": "operator"}


def test_a_file_that_was_named_must_be_there(tmp_path):
    path = tmp_path / "none.toml"
    with pytest.raises(ConfigError, match=r"none\.toml is not there"):
        load({}, {}, path)
    with pytest.raises(ConfigError, match=r"none\.toml is not there"):
        load({}, {"RBLNTOPD_CONFIG": str(path)})
    assert load({}, {"XDG_CONFIG_HOME": str(tmp_path), "CONFIGURATION_DIRECTORY": str(tmp_path)}).tcp is None


def test_where_the_file_is_looked_for(monkeypatch):
    assert str(file.default_file({"CONFIGURATION_DIRECTORY": "/etc/rblntop"})) == "/etc/rblntop/rblntopd.toml"
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert str(file.default_file({"XDG_CONFIG_HOME": "/x"})) == "/etc/rblntop/rblntopd.toml"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert str(file.default_file({"XDG_CONFIG_HOME": "/x"})) == "/x/rblntop/rblntopd.toml"
    monkeypatch.setenv("HOME", "/home/ops")
    assert str(file.default_file({})) == "/home/ops/.config/rblntop/rblntopd.toml"


def test_the_report_is_a_file_that_says_the_same(written):
    text = """
state_dir = "/a \\\\ \\"b\\""
write_deadline_s = 0.5
[tcp]
listen = "h:1"
certificate = "/c"
key = "/k"
client_ca = "/a"
roles = { "a b" = "viewer" }
"""
    first = load({}, {}, written(text))
    again = load({}, {}, written(report(first)))
    assert again.values == first.values
    assert "write_deadline_s = 0.5  # " + str(first.path) in report(first).splitlines()
    assert 'log_level = "info"  # default' in report(first).splitlines()


def test_every_key_has_a_variable_of_its_own():
    assert len({key.environment for key in KEYS}) == len(KEYS)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    assert problems(tmp_path) == ["Is a directory"]


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:9661", "10.0.0.1:9661", "example.org:9661", "[::]:9661", "127.0.0.1"]
)
def test_metrics_are_served_on_this_host_only(written, listen):
    allowed = "127.0.0.1:PORT, [::1]:PORT or localhost:PORT with a port in 1..65535 (or empty: off)"
    found = problems(written(f'metrics.listen = "{listen}"'))
    assert found == [f'metrics.listen = "{listen}": allowed is {allowed}']


def test_metrics_are_on_for_the_service_and_off_for_others(written):
    assert load({}, {}, written('listen = "unix:/run/rblntopd/rblntopd.sock"')).metrics == ("127.0.0.1", 9661)
    assert load({}, {}, written('listen = "unix:/tmp/x/rblntopd.sock"')).metrics is None
    assert load({}, {}, written('metrics.listen = "[::1]:9000"')).metrics == ("::1", 9000)
