"""TCP: off unless it is told, and then only for certificates whose names have a role."""

from __future__ import annotations

import datetime
import os
import signal
import socket
import subprocess
import sys

import grpc
import pytest
import trustme
from tests.service.conversation import action, changes, max_num_seqs, set_request

from rblntop_api.v1 import control_pb2_grpc, telemetry_pb2, telemetry_pb2_grpc

DENIED, UNAVAILABLE = grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAVAILABLE
ROLES = '{ "ops.example" = "operator", "look.example" = "viewer" }'


class Authority:
    """A CA made for the test, and what it has signed, as files."""

    def __init__(self, directory):
        self._ca = trustme.CA()
        self.directory = directory
        self.pem = self._ca.cert_pem.bytes()
        (directory / "ca.pem").write_bytes(self.pem)

    def issue(self, name, file="", expired=False):
        """Key and certificate of ``name``; also as files where ``file`` says which."""
        end = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1) if expired else None
        made = self._ca.issue_cert(name, common_name=f"cn of {name}", not_after=end)
        key, certificate = made.private_key_pem.bytes(), made.cert_chain_pems[0].bytes()
        if file:
            (self.directory / f"{file}.key").write_bytes(key)
            (self.directory / f"{file}.pem").write_bytes(certificate)
        return key, certificate


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


@pytest.fixture
def port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.fixture
def configured(authority, port, runtime):
    """The configuration of a daemon that serves TCP."""
    authority.issue("localhost", "server")
    text = f"""
[tcp]
listen = "127.0.0.1:{port}"
certificate = "{authority.directory}/server.pem"
key = "{authority.directory}/server.key"
client_ca = "{authority.directory}/ca.pem"
roles = {ROLES}
"""
    (runtime.parent / "rblntopd.toml").write_text(text)
    return text


@pytest.fixture
def daemon(configured, engine, start_daemon, connect, authority):
    """A daemon that serves whoever has the right certificate."""
    daemon = start_daemon()
    assert list_engines(connect(*authority.issue("ops.example"))) == ["tiny/0"]
    return daemon


@pytest.fixture
def connect(authority, port):
    """Opens channels with a certificate."""
    opened = []

    def connect(key=None, certificate=None, ca=None, host="localhost"):
        credentials = grpc.ssl_channel_credentials(ca or authority.pem, key, certificate)
        opened.append(grpc.secure_channel(f"{host}:{port}", credentials))
        return opened[-1]

    yield connect
    for channel in opened:
        channel.close()


def list_engines(channel):
    stub = telemetry_pb2_grpc.TelemetryStub(channel)
    return [
        engine.name for engine in stub.ListEngines(telemetry_pb2.ListEnginesRequest(), timeout=20).engines
    ]


def code_of_refusal(channel):
    with pytest.raises(grpc.RpcError) as caught:
        list_engines(channel)
    return caught.value.code()


def test_an_operator_changes_limits_and_the_audit_log_has_the_certificates_name(
    daemon, engine, connect, authority
):
    control = control_pb2_grpc.ControlStub(connect(*authority.issue("ops.example")))
    control.SetLimits(set_request(max_num_seqs(4)), timeout=20)
    assert engine.state()["max_num_seqs"] == 4
    (change,) = [one for one in changes(daemon) if action(one) == "SET"]
    assert (change.caller.name, change.caller.verified) == ("certificate cn of ops.example", True)


def test_a_viewer_looks_and_changes_nothing(daemon, engine, connect, authority):
    channel = connect(*authority.issue("look.example"))
    assert list_engines(channel) == ["tiny/0"]
    with pytest.raises(grpc.RpcError) as caught:
        control_pb2_grpc.ControlStub(channel).SetLimits(set_request(max_num_seqs(4)), timeout=20)
    assert caught.value.code() is DENIED
    assert caught.value.details() == (
        "Control/SetLimits needs the role operator: certificate look.example, cn of look.example gives viewer"
    )
    assert engine.state()["generation"] == 0


def test_a_certificate_whose_names_have_no_role_may_call_nothing(daemon, connect, authority):
    channel = connect(*authority.issue("somebody.example"))
    assert code_of_refusal(channel) is DENIED


def test_certificates_of_another_authority_are_refused(daemon, connect, tmp_path):
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    assert code_of_refusal(connect(*other.issue("ops.example"))) is UNAVAILABLE


def test_an_expired_certificate_is_refused(daemon, connect, authority):
    assert code_of_refusal(connect(*authority.issue("ops.example", expired=True))) is UNAVAILABLE


def test_a_client_without_a_certificate_is_refused(daemon, connect):
    assert code_of_refusal(connect()) is UNAVAILABLE


def test_plain_text_is_refused(daemon, port):
    with grpc.insecure_channel(f"localhost:{port}") as channel:
        assert code_of_refusal(channel) is UNAVAILABLE


def test_a_client_refuses_a_daemon_with_another_name(daemon, connect, authority):
    assert code_of_refusal(connect(*authority.issue("ops.example"), host="127.0.0.1")) is UNAVAILABLE


def test_new_certificates_and_roles_come_with_sighup_and_streams_go_on(
    daemon, configured, connect, authority, tmp_path, until
):
    first = connect(*authority.issue("look.example"))
    stream = iter(
        telemetry_pb2_grpc.TelemetryStub(first).WatchSnapshots(telemetry_pb2.WatchSnapshotsRequest())
    )
    next(stream)
    (tmp_path / "new").mkdir()
    new = Authority(tmp_path / "new")
    new.issue("localhost", "server")
    daemon.config.write_text(
        configured.replace(str(authority.directory), str(new.directory)).replace(
            "look.example", "new.example"
        )
    )
    daemon.process.send_signal(signal.SIGHUP)
    until(lambda: "tcp.certificate, tcp.key, tcp.client_ca, tcp.roles" in daemon.log.read_text())
    assert list_engines(connect(*new.issue("new.example"), ca=new.pem)) == ["tiny/0"]
    assert next(stream).snapshots
    assert code_of_refusal(first) is DENIED
    assert code_of_refusal(connect(*authority.issue("ops.example"), ca=new.pem)) is UNAVAILABLE


def test_certificates_that_cannot_be_used_change_nothing(daemon, connect, authority, until):
    operator = authority.issue("ops.example")
    (authority.directory / "server.pem").write_text("no certificate")
    daemon.process.send_signal(signal.SIGHUP)
    until(lambda: "the certificates stay as they were: tcp.certificate" in daemon.log.read_text())
    assert list_engines(connect(*operator)) == ["tiny/0"]


def test_a_key_of_another_certificate_is_named_before_anything_is_served(configured, authority, runtime):
    key, _ = authority.issue("localhost")
    (authority.directory / "server.key").write_bytes(key)
    for command, code in (("serve", 1), ("check-config", 2)):
        found = subprocess.run(
            [
                sys.executable, "-m", "rblntopd.cli", command, "--config",
                str(runtime.parent / "rblntopd.toml"), "--runtime-dir", str(runtime),
            ],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert found.returncode == code
        assert "server.key: KEY_VALUES_MISMATCH" in found.stderr
    assert not list(runtime.glob("*.sock"))


def test_a_port_that_is_taken_is_an_error(configured, port, runtime, start_daemon):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        found = subprocess.run(
            [
                sys.executable, "-m", "rblntopd.cli", "serve",
                "--config", str(runtime.parent / "rblntopd.toml"),
                "--runtime-dir", str(runtime), "--state-dir", str(runtime.parent / "state"),
            ],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert found.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in found.stderr


def test_rblnctl_connects_with_the_certificates_that_the_environment_names(daemon, authority, port):
    authority.issue("look.example", "client")
    environ = {
        "RBLNTOP_TLS_CA": str(authority.directory / "ca.pem"),
        "RBLNTOP_TLS_CERT": str(authority.directory / "client.pem"),
        "RBLNTOP_TLS_KEY": str(authority.directory / "client.key"),
    }

    def rblnctl(*words, host="localhost"):
        command = [sys.executable, "-m", "rblntop.cli.ctl", "--connect", f"tls://{host}:{port}", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | environ)

    assert "tiny/0" in rblnctl("engines").stdout
    refused = rblnctl("reset", "--yes")
    assert refused.returncode == 1
    assert "Control/ResetLimits needs the role operator" in refused.stderr
    wrong_name = rblnctl("engines", host="127.0.0.1")
    assert wrong_name.returncode == 3
    assert f"no daemon answers at tls://127.0.0.1:{port}" in wrong_name.stderr
    assert "$RBLNTOP_TLS_CA must have signed the daemon's" in wrong_name.stderr


def test_without_a_configuration_nothing_listens_on_tcp(engine, start_daemon):
    daemon = start_daemon()
    listed = subprocess.run(["cat", f"/proc/{daemon.process.pid}/net/tcp"], capture_output=True, text=True)
    inodes = {line.split()[9] for line in listed.stdout.splitlines()[1:] if line.split()[3] == "0A"}
    files = os.listdir(f"/proc/{daemon.process.pid}/fd")
    sockets = {os.readlink(f"/proc/{daemon.process.pid}/fd/{file}") for file in files}
    assert not {f"socket:[{inode}]" for inode in inodes} & sockets
