"""The service under a real systemd, with an engine of another user, operators and viewers."""

from __future__ import annotations

import json
import subprocess

import pytest
from tests.service.service_host import ServiceHost, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "there can be one")

SERVICE = "rblntopd.service"
ENGINE = "sim-balanced/0"
WATCHDOG = "/run/systemd/system/rblntopd.service.d/watchdog.conf"


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    host = ServiceHost(tmp_path_factory.mktemp("host"))
    try:
        if host.problem:
            pytest.skip(f"no systemd of one's own: {host.problem}")
        yield host
    finally:
        if not host.problem:
            host.end()


@pytest.fixture
def service(host):
    """The service, started."""
    started = host.ask("systemctl", "start", SERVICE)
    if started.returncode:
        pytest.fail(host.run("journalctl", "-n", "40", "--no-pager"))
    yield host
    host.run("systemctl", "stop", SERVICE)
    host.ask("systemctl", "reset-failed", SERVICE)


@pytest.fixture
def engine(host):
    """A sim engine of user vllm, with the drop-in for vLLM's units."""
    host.run("systemctl", "start", "engine")
    yield
    host.run("systemctl", "stop", "engine")


@pytest.fixture
def seen(service, engine, until):
    """The host, once the daemon shows the engine's steps."""

    def serves():
        found = service.as_user("looks", "rblnctl", "engines", "--json")
        listed = json.loads(found.stdout)["engines"] if found.returncode == 0 else []
        running = service.unit("engine", "MainPID")["MainPID"]
        return any(str(one["pid"]) == running and one["state"] == "ENGINE_STATE_SERVING" for one in listed)

    until(serves)
    return service


def pid(host):
    return host.unit(SERVICE, "MainPID")["MainPID"]


def is_active(host):
    return host.unit(SERVICE, "ActiveState")["ActiveState"] == "active"


def test_it_is_ready_when_its_sockets_are_there(service):
    found = service.unit(SERVICE, "ActiveState", "Type", "StatusText", "NRestarts")
    assert found == {
        "ActiveState": "active",
        "Type": "notify",
        "StatusText": "0 engines, serving /run/rblntopd/rblntopd.sock",
        "NRestarts": "0",
    }
    shown = service.run("stat", "-c", "%n %a %U %G", *(f"/run/rblntopd/{name}" for name in (
        "rblntopd.sock", "rblntopd-ro.sock", "rblntopd-id.sock",
    )))  # fmt: skip
    assert shown.splitlines() == [
        "/run/rblntopd/rblntopd.sock 660 rblntopd rblntop-admin",
        "/run/rblntopd/rblntopd-ro.sock 660 rblntopd rblntop",
        "/run/rblntopd/rblntopd-id.sock 660 rblntopd rblntop-admin",
    ]
    assert service.run("stat", "-c", "%a %U", "/var/lib/rblntop/audit.jsonl") == "600 rblntopd\n"


def test_the_unit_and_its_walls_are_in_order(host):
    found = host.ask("systemd-analyze", "verify", f"/usr/local/lib/systemd/system/{SERVICE}")
    assert (found.returncode, found.stderr) == (0, "")
    host.run("systemd-analyze", "security", "--threshold=20", SERVICE)


def test_it_has_no_rights_to_spare(service):
    status = service.run("cat", f"/proc/{pid(service)}/status")
    rights = dict(line.split(":\t") for line in status.splitlines() if line.startswith(("Cap", "NoNew")))
    assert rights.pop("NoNewPrivs") == "1"
    assert set(rights.values()) == {"0" * 16}


def test_an_operator_changes_an_engine_of_another_user_and_is_named_in_the_audit_log(seen):
    change = ("rblnctl", "set", ENGINE, "--max-num-seqs", "16", "--reason", "test", "--json")
    assert seen.as_user("ops", *change).returncode == 0
    told = seen.json_of("ops", "rblnctl", "changes", ENGINE, "--json")
    uid = int(seen.run("id", "-u", "ops"))
    assert told["changes"][0]["caller"] == {"name": f"uid {uid} (ops)", "verified": True, "uid": uid}
    (entry,) = [line for line in seen.journal(SERVICE) if line.get("RBLNTOP_ACTION") == "SET"]
    assert (entry["RBLNTOP_ENGINE"], entry["RBLNTOP_CALLER"]) == (ENGINE, f"uid {uid} (ops)")
    assert (
        entry["MESSAGE"] == f"engine {ENGINE}: SET done, by uid {uid} (ops): max_num_seqs unset -> 16: test"
    )
    assert entry["PRIORITY"] == "6"


def test_a_viewer_looks_and_changes_nothing(seen):
    listed = seen.json_of("looks", "rblnctl", "engines", "--json")
    assert [engine["name"] for engine in listed["engines"]] == [ENGINE]
    refused = seen.as_user("looks", "rblnctl", "reset", ENGINE, "--yes")
    assert refused.returncode == 1
    assert "Control/ResetLimits needs the role operator: the viewers' socket gives viewer" in refused.stderr


@pytest.mark.parametrize("user", ["nobody-special", "vllm"])
def test_others_come_in_by_no_socket(seen, user):
    for name in ("rblntopd.sock", "rblntopd-ro.sock"):
        found = seen.as_user(user, "rblnctl", "--connect", f"unix:/run/rblntopd/{name}", "engines")
        assert found.returncode == 3
        assert "Permission denied" in found.stderr


def test_a_killed_daemon_is_started_again_and_no_step_is_lost(seen, until):
    first = pid(seen)
    before = next_step(seen)
    seen.run("systemctl", "kill", "-s", "KILL", SERVICE)
    until(
        lambda: pid(seen) not in ("0", first) and seen.unit(SERVICE, "ActiveState")["ActiveState"] == "active"
    )
    assert_every_step(seen, before, until)


def test_a_daemon_that_hangs_is_replaced_by_the_watchdog(seen, until):
    seen.write(WATCHDOG, "[Service]\nWatchdogSec=1s\nTimeoutAbortSec=1s\n")
    seen.run("systemctl", "daemon-reload")
    seen.run("systemctl", "restart", SERVICE)
    first, before = pid(seen), next_step(seen)
    seen.run("systemctl", "kill", "-s", "STOP", SERVICE)
    until(
        lambda: pid(seen) not in ("0", first) and seen.unit(SERVICE, "ActiveState")["ActiveState"] == "active"
    )
    assert any("Watchdog timeout" in line["MESSAGE"] for line in seen.journal(SERVICE))
    assert_every_step(seen, before, until)
    seen.run("rm", WATCHDOG)
    seen.run("systemctl", "daemon-reload")


def test_no_step_is_lost_while_it_is_stopped_and_the_engine_stays(seen, until):
    before, rings = next_step(seen), seen.run("ls", "/run/rblntop/engines")
    seen.run("systemctl", "stop", SERVICE)
    assert seen.run("systemctl", "is-active", "engine") == "active\n"
    assert seen.run("ls", "/run/rblntop/engines") == rings
    seen.run("systemctl", "start", SERVICE)
    assert_every_step(seen, before, until)


def test_a_reload_keeps_the_process_and_its_streams_and_brings_the_file_into_force(seen, until):
    first = pid(seen)
    watch = seen.popen(
        "runuser", "-u", "looks", "--", "rblnctl", "watch", ENGINE, "--json", stdout=subprocess.PIPE
    )
    assert watch.stdout.readline()
    seen.write("/etc/rblntop/rblntopd.toml", "write_deadline_s = 3\n")
    seen.run("systemctl", "reload", SERVICE)
    reloaded = "reloaded /etc/rblntop/rblntopd.toml: write_deadline_s"
    (line,) = until(lambda: [one for one in seen.journal(SERVICE) if reloaded in one["MESSAGE"]])
    assert line["PRIORITY"] == "6"
    seen.write("/etc/rblntop/rblntopd.toml", "write_deadline_s = 0\n")
    seen.run("systemctl", "reload", SERVICE)
    (line,) = until(lambda: [one for one in seen.journal(SERVICE) if "not reloaded" in one["MESSAGE"]])
    assert line["PRIORITY"] == "3"
    assert watch.stdout.readline()
    assert pid(seen) == first
    assert is_active(seen)
    seen.write("/etc/rblntop/rblntopd.toml", "")
    watch.kill()
    watch.wait()
    watch.stdout.close()


def test_it_stops_in_order_with_a_client_that_takes_nothing(seen, until):
    seen.run(
        "systemd-run", "--unit=stuck", "--uid=looks", "-p", "Group=rblntop",
        "/usr/local/bin/rblnctl", "steps", ENGINE, "--json", "--from", "0",
    )  # fmt: skip
    until(lambda: "sequence" in seen.run("journalctl", "-u", "stuck", "-o", "cat", "-n", "1", "--no-pager"))
    seen.run("systemctl", "kill", "-s", "STOP", "stuck")
    lines = len(seen.journal(SERVICE))
    seen.run("systemctl", "stop", SERVICE)
    # Of a daemon that had to be killed systemd would say so.
    told = [line["MESSAGE"] for line in seen.journal(SERVICE)[lines:] if line["_PID"] == "1"]
    assert [line.removeprefix(f"{SERVICE}: ") for line in told] == [
        "Stopping rblntopd.service - rblntop daemon: watches and steers vLLM engines on RBLN NPUs...",
        "Deactivated successfully.",
        "Stopped rblntopd.service - rblntop daemon: watches and steers vLLM engines on RBLN NPUs.",
    ]
    assert seen.run("sh", "-c", "ls -A /run | grep rblntop") == "rblntop\n"
    seen.run("systemctl", "kill", "-s", "KILL", "stuck")


def test_a_configuration_that_is_not_allowed_is_not_tried_again(host):
    host.write("/etc/rblntop/rblntopd.toml", "write_deadline = 3\n")
    try:
        assert host.ask("systemctl", "start", SERVICE).returncode == 1
        found = host.unit(SERVICE, "ActiveState", "ExecMainStatus", "NRestarts")
        assert found == {"ActiveState": "failed", "ExecMainStatus": "2", "NRestarts": "0"}
        text = "there is no key write_deadline: did you mean write_deadline_s?"
        assert any(text in line["MESSAGE"] for line in host.journal(SERVICE))
    finally:
        host.write("/etc/rblntop/rblntopd.toml", "")
        host.run("systemctl", "reset-failed", SERVICE)


def test_an_engine_that_is_started_by_hand_beside_the_service_is_served_by_it(service, until):
    engine = service.popen(
        "runuser", "-u", "vllm", "-G", "rblntop-engine", "--",
        "rblntopd", "run", "--name", "by-hand/0", "--", "sim-engine",
    )  # fmt: skip

    def found():
        shown = service.as_user("looks", "rblnctl", "engines", "--json")
        listed = json.loads(shown.stdout)["engines"] if shown.returncode == 0 else []
        return [one["pid"] for one in listed if one["name"] == "by-hand/0"]

    (number,) = until(found)
    assert service.run("pgrep", "-c", "-f", "rblntopd.py serve") == "1\n"
    service.run("kill", str(number))
    engine.wait()


def next_step(host):
    """The sequence number of the engine's next step."""
    return int(host.json_of("looks", "rblnctl", "show", ENGINE, "--json")["nextSequence"])


def assert_every_step(host, before, until):
    """Every step since the first is known to the daemon that runs now, and the engine went on."""
    until(lambda: host.as_user("looks", "rblnctl", "show", ENGINE, "--json").returncode == 0)
    until(lambda: next_step(host) > before)
    shown = host.json_of("looks", "rblnctl", "show", ENGINE, "--json")
    assert int(shown.get("missedRecords", 0)) == 0
    listed = host.as_user("looks", "rblnctl", "steps", ENGINE, "--json", "--no-follow").stdout
    found = [int(json.loads(line)["sequence"]) for line in listed.splitlines()]
    assert found == list(range(found[-1] + 1))
