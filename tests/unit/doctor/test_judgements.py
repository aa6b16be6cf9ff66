"""What the doctor makes of facts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.doctor.conftest import NO_DAEMON, PLUGIN, PYTHON, RING, RUNTIME

from rblntop.doctor.facts import BadRing, DeviceFact, ListedEngine, PluginAnswer, Room, SocketFact
from rblntop.doctor.finding import Level, note, ok, problem
from rblntop.doctor.judge import has_problem, judge
from rblntop.doctor.report import as_json, as_lines

UNWATCHED = {"rings": (), "daemon": {"engines": ()}}


def said(facts, level):
    return [finding for finding in judge(facts) if finding.level is level]


def only_problem(facts):
    (found,) = said(facts, Level.PROBLEM)
    assert found.command
    return found


def notes(facts):
    return [finding.text for finding in said(facts, Level.NOTE)]


def test_where_all_is_well_there_is_no_problem_and_the_next_step_is_the_dashboard(facts):
    findings = judge(facts())
    assert not has_problem(findings)
    assert [finding.subject for finding in findings] == [
        "engine", "runtime", "ring", "daemon", "daemon", "host", "host", "next",
    ]  # fmt: skip
    assert findings[-1].command == "rblntop"


# --- an engine without a ring -------------------------------------------------------------------------------


def test_a_plugin_that_is_not_installed_is_to_be_installed_into_the_engines_python(facts):
    plugin = PluginAnswer(PYTHON, has_vllm=True)
    found = only_problem(facts(engine={"plugin": plugin}, **UNWATCHED))
    assert found.text.endswith(f"the plugin is not installed in {PYTHON}")
    assert found.command.startswith(f"{PYTHON} -m pip install --no-deps rblntop==0.1.0")


def test_a_plugin_that_cannot_be_imported_says_why(facts):
    plugin = replace(PLUGIN, probe_version="", import_error="SyntaxError: invalid syntax")
    found = only_problem(facts(engine={"plugin": plugin}, **UNWATCHED))
    assert found.text.endswith("cannot be imported: SyntaxError: invalid syntax")


@pytest.mark.parametrize(
    ("value", "command"),
    [
        ("rbln", "export VLLM_PLUGINS=rbln,rblntop"),
        ("", "unset VLLM_PLUGINS"),
        # vLLM compares names as they are, blanks included.
        ("rbln, rblntop", "export VLLM_PLUGINS='rbln, rblntop,rblntop'"),
    ],
)
def test_a_list_of_plugins_without_ours_leaves_it_out(facts, value, command):
    found = only_problem(facts(engine={"environment": {"VLLM_PLUGINS": value}}, **UNWATCHED))
    assert f"VLLM_PLUGINS={value!r} leaves rblntop out" in found.text
    assert found.command == f"{command}   # and restart the engine"


def test_a_list_of_ours_alone_switches_the_platform_off(facts):
    found = facts(engine={"environment": {"VLLM_PLUGINS": "rblntop"}, "age_s": 1.0}, **UNWATCHED)
    assert any("leaves the RBLN platform out" in text for text in notes(found))


@pytest.mark.parametrize(
    ("value", "text"), [("off", "RBLNTOP_PROBE=off switches"), ("on", "RBLNTOP_PROBE='on' is not one of off")]
)
def test_a_probe_that_is_switched_off(facts, value, text):
    found = only_problem(facts(engine={"environment": {"RBLNTOP_PROBE": value}}, **UNWATCHED))
    assert text in found.text
    assert found.command.startswith("unset RBLNTOP_PROBE")


def test_every_reason_is_given_at_once(facts):
    engine = {
        "plugin": PluginAnswer(PYTHON, has_vllm=True),
        "environment": {"VLLM_PLUGINS": "rbln", "RBLNTOP_PROBE": "off"},
    }
    assert len(said(facts(engine=engine, **UNWATCHED), Level.PROBLEM)) == 3


def test_an_engine_that_loads_its_model_has_no_ring_yet(facts):
    found = facts(engine={"age_s": 60.0}, **UNWATCHED)
    assert not said(found, Level.PROBLEM)
    assert "no ring yet, after 60 s" in notes(found)[0]


def test_an_old_engine_without_a_ring_and_without_a_reason_has_it_in_its_log(facts):
    found = only_problem(facts(**UNWATCHED))
    assert "the engine's log says why" in found.text
    assert "grep rblntop" in found.command


def test_an_environment_that_cannot_be_read_is_said_and_to_be_asked_as_root(facts):
    engine = {
        "environment": None,
        "environment_error": "it is another user's",
        "runtime": None,
        "user": "bob",
    }
    found = judge(facts(engine=engine, **UNWATCHED))[0]
    assert found.level is Level.NOTE
    assert found.text.endswith("its environment cannot be read: it is another user's")
    assert found.command == "sudo rblnctl doctor --pid 4242"


def test_a_python_that_does_not_answer_is_said(facts):
    plugin = PluginAnswer(PYTHON, error="exit code 1: no such library")
    assert any(
        f"its Python {PYTHON} cannot be asked: exit code 1: no such library" in text
        for text in notes(facts(engine={"plugin": plugin, "age_s": 1.0}, **UNWATCHED))
    )


def test_a_container_is_to_be_asked_inside(facts):
    found = judge(facts(engine={"same_files": False}, **UNWATCHED))[0]
    assert found.level is Level.NOTE
    assert "it runs in a container" in found.text


def test_the_runtime_directory_of_another_users_engine_is_not_ours(facts):
    engine = {"runtime": Path("/srv/run"), "user": "bob"}
    found = only_problem(facts(engine=engine, **UNWATCHED))
    assert f"its runtime directory is /srv/run, ours is {RUNTIME}" in found.text
    assert found.command == "export RBLNTOP_RUNTIME_DIR=/srv/run"


def test_our_own_engine_that_will_record_elsewhere_is_noted_before_it_does(facts):
    found = facts(engine={"runtime": Path("/srv/run"), "age_s": 60.0}, **UNWATCHED)
    assert not said(found, Level.PROBLEM)
    assert f"its runtime directory is /srv/run, ours is {RUNTIME}" in notes(found)[0]


# --- an engine with a ring ----------------------------------------------------------------------------------


def test_a_loaded_probe_is_fine_whatever_is_installed_now(facts):
    assert not said(facts(engine={"plugin": PluginAnswer(PYTHON, has_vllm=True)}), Level.PROBLEM)


def test_an_engine_that_the_daemon_lists_needs_no_ring_that_we_may_see(facts):
    assert not said(facts(rings=()), Level.PROBLEM)


def test_an_engine_that_records_elsewhere_is_found_there(facts):
    ring = {"runtime": Path("/srv/run"), "path": Path("/srv/run/engines/x.ring"), "age_s": 1.0}
    found = only_problem(facts(ring=ring, daemon={"engines": ()}))
    assert "it records into /srv/run" in found.text
    assert found.command == "export RBLNTOP_RUNTIME_DIR=/srv/run"


def test_one_of_two_engine_cores_without_a_ring_is_missed(facts):
    cores = (frozenset({4243}), frozenset({4244}))
    found = only_problem(facts(engine={"core_pids": cores, "pids": frozenset({4242, 4243, 4244})}))
    assert "1 of 2 engine cores have no ring" in found.text


def test_a_ring_in_a_container_has_the_pid_of_its_namespace(facts):
    engine = {"pids": frozenset({4242, 4243, 7}), "core_pids": (frozenset({4243, 7}),)}
    assert not said(facts(engine=engine, ring={"pid": 7}), Level.PROBLEM)


def test_a_probe_that_only_observes_is_noted(facts):
    found = notes(facts(engine={"environment": {"RBLNTOP_PROBE": "observe"}}))
    assert any("no limit can be changed" in text for text in found)


# --- rings --------------------------------------------------------------------------------------------------


def test_an_older_probe_asks_for_a_restart(facts):
    assert "tiny/0 (pid 4243): its probe is 0.0.9, this is 0.1.0: restart the engine to update" in notes(
        facts(ring={"probe_version": "0.0.9"})
    )


def test_a_probe_that_ended_itself_says_why(facts):
    assert only_problem(facts(ring={"fault": "KeyError: 7"})).text.endswith(
        "switched itself off: KeyError: 7"
    )


def test_telemetry_only_has_its_reason_once(facts):
    reasons = tuple((limit, "V0 scheduler") for limit in ("max_num_seqs", "group caps", "admission"))
    assert "tiny/0 (pid 4243): telemetry only: V0 scheduler" in notes(facts(ring={"unavailable": reasons}))


def test_one_limit_that_cannot_be_changed_is_named(facts):
    found = notes(facts(ring={"unavailable": (("group caps", "deep queue"),)}))
    assert "tiny/0 (pid 4243): cannot be changed: group caps: deep queue" in found


def test_an_engine_that_ended_can_be_read(facts):
    dead = facts(ring={"alive": False}, engines=(), daemon={"engines": ()})
    (found,) = [finding for finding in judge(dead) if finding.subject == "ring"]
    assert (found.level, found.command) == (Level.NOTE, f"rblnctl steps --ring {RING.path}")


def test_a_detached_engine_is_noted(facts):
    assert any("detached" in text for text in notes(facts(ring={"detached": True})))


def test_a_ring_that_cannot_be_read_says_why(facts):
    found = only_problem(facts(bad_rings=(BadRing(RUNTIME / "engines/a b.ring", "is not a ring file"),)))
    assert found.text.endswith("a b.ring cannot be read: is not a ring file")
    assert found.command.startswith(f"rm '{RUNTIME}/engines/a b.ring'")


def test_a_ring_of_another_user_is_to_be_asked_for_as_that_user(facts):
    ring = BadRing(Path("/tmp/rblntop-7/engines/boot-4243-17.ring"), "belongs to uid 7", foreign_owner="bob")
    found = facts(bad_rings=(ring,), **UNWATCHED)
    assert not said(found, Level.PROBLEM)
    assert "it has a ring, which alice may not read" in notes(found)[0]
    assert any(finding.command == "sudo -u bob rblnctl doctor" for finding in judge(found))


# --- the runtime directory ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "text", "command"),
    [
        ({"uid": 7, "owner": "bob"}, "belongs to bob", "unset RBLNTOP_RUNTIME_DIR"),
        ({"mode": 0o777}, "can be written by others (mode 777)", f"chmod go-w {RUNTIME}"),
        ({"is_directory": False}, "is not a directory", f"mv {RUNTIME}"),
        ({"error": "Permission denied"}, "cannot be looked at: Permission denied", "ls -ld"),
        ({"exists": False, "can_write": False}, "alice may not make it", "sudo install -d -m 700 -o alice"),
        ({"room": Room(False, None, 0, 30 << 20)}, "neither it nor /dev/shm is on a tmpfs", "sudo mount"),
        (
            {"room": Room(True, RUNTIME, 9 << 20, 30 << 20)},
            "has 9 MB free, an engine that starts needs 30 MB",
            "du -sh",
        ),
    ],
)
def test_a_runtime_directory_that_no_engine_can_use(facts, place, text, command):
    found = only_problem(facts(place=place))
    assert text in found.text
    assert found.command.startswith(command)


def test_the_services_directory_is_shared_by_its_sticky_bit(facts):
    assert not said(facts(place={"uid": 0, "owner": "root", "mode": 0o3770}), Level.PROBLEM)


def test_who_may_not_see_the_rings_asks_the_daemon(facts):
    hidden = {"uid": 0, "owner": "root", "can_list": False}
    assert any("the daemon does" in text for text in notes(facts(place=hidden, rings=())))
    found = facts(place=hidden, rings=(), engines=())
    assert only_problem(replace(found, daemon=NO_DAEMON)).command == "sudo rblnctl doctor"


def test_a_disk_is_good_enough(facts):
    found = notes(facts(place={"room": Room(False, Path("/dev/shm"), 1 << 30, 30 << 20)}))
    assert "it is on a disk, so that rings go to /dev/shm" in found


# --- the daemon ---------------------------------------------------------------------------------------------


def test_engines_that_nobody_reads_need_a_daemon(facts):
    found = only_problem(replace(facts(), daemon=NO_DAEMON))
    assert found.command == f"rblntopd serve --runtime-dir {RUNTIME}"


def test_a_daemon_that_was_named_must_answer(facts):
    daemon = {"error": "Connection refused", "was_asked_for": True, "engines": ()}
    found = only_problem(facts(daemon=daemon, engines=(), rings=()))
    assert found.text == f"the daemon at unix:{RUNTIME}/rblntopd.sock cannot be used: Connection refused"


def test_a_socket_of_a_group_is_opened_by_joining_it(facts):
    socket = SocketFact("/run/rblntopd/rblntopd.sock", "rblntopd", "rblntop-admin", 0o660, usable=False)
    found = only_problem(replace(facts(), daemon=replace(NO_DAEMON, sockets=(socket,))))
    assert "(of rblntopd, group rblntop-admin, mode 660)" in found.text
    assert found.command.startswith("sudo usermod -aG rblntop-admin alice")


def test_a_viewer_is_told_how_to_become_an_operator(facts):
    socket = SocketFact("/run/rblntopd/rblntopd.sock", "rblntopd", "rblntop-admin", 0o660, usable=False)
    found = facts(daemon={"role": "viewer", "sockets": (socket,)})
    assert not said(found, Level.PROBLEM)
    (viewer,) = [finding for finding in judge(found) if "you are a viewer" in finding.text]
    assert viewer.command.startswith("sudo usermod -aG rblntop-admin alice")


def test_a_daemon_of_another_version_is_noted(facts):
    assert "it is version 0.2.0, this is 0.1.0" in notes(facts(daemon={"version": "0.2.0"}))


def test_a_ring_that_the_daemon_does_not_list_is_a_problem(facts):
    other = (ListedEngine("other/0", "boot-1-1", 1),)
    found = only_problem(facts(daemon={"engines": other}))
    assert found.text == f"it does not list tiny/0 (pid 4243), whose ring is {RING.path}"


def test_a_ring_of_a_moment_ago_may_not_be_listed_yet(facts):
    assert not said(facts(daemon={"engines": ()}, ring={"age_s": 2.0}), Level.PROBLEM)


def test_a_daemon_elsewhere_lists_other_engines(facts):
    daemon = {"is_local": False, "address": "tls://host:50661", "engines": ()}
    assert not said(facts(daemon=daemon), Level.PROBLEM)


# --- the host -----------------------------------------------------------------------------------------------


def test_npus_without_their_driver_daemon_are_a_problem(facts):
    devices = DeviceFact((("/dev/rbln0", True),), "127.0.0.1:50051", "Connection refused")
    assert only_problem(facts(devices=devices)).text == (
        "the RBLN driver daemon at 127.0.0.1:50051 does not answer: Connection refused"
    )


def test_a_host_without_npus_needs_no_driver(facts):
    found = facts(devices=DeviceFact((), "127.0.0.1:50051", "Connection refused"))
    assert not said(found, Level.PROBLEM)
    assert any("no RBLN NPU" in text for text in notes(found))


def test_a_device_that_is_not_ours_is_noted(facts):
    devices = DeviceFact((("/dev/rbln0", False),), "127.0.0.1:50051", "")
    assert "alice may not open /dev/rbln0" in notes(facts(devices=devices))


@pytest.mark.parametrize(
    ("ahead_s", "took_s", "text"),
    [
        (-7.25, 0.1, "7.2 s behind ours"),
        (3.0, 0.1, "3.0 s ahead of ours"),
        (3.0, 5.0, None),
        (0.2, 0.0, None),
    ],
)
def test_a_clock_is_wrong_beyond_a_second_and_the_time_of_asking(facts, ahead_s, took_s, text):
    daemon = {"is_local": False, "clock_ahead_s": ahead_s, "clock_uncertainty_s": took_s}
    problems = [finding.text for finding in said(facts(daemon=daemon), Level.PROBLEM)]
    assert problems == ([f"the daemon's clock is {text}"] if text else [])


# --- somebody new -------------------------------------------------------------------------------------------


def test_with_nothing_running_it_says_what_to_do_next(facts):
    nothing = facts(engines=(), rings=(), place={"exists": False})
    findings = judge(replace(nothing, daemon=NO_DAEMON))
    assert not has_problem(findings)
    assert [finding.command for finding in findings if finding.subject == "next"] == [
        "rblntopd run -- vllm serve MODEL", "rblntop demo", "rblnctl doctor --python PYTHON",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (PluginAnswer(PYTHON, error="Exec format error"), "cannot be asked: Exec format error"),
        (PluginAnswer(PYTHON, installed=True, probe_version="0.1.0"), "has no vLLM"),
        (PluginAnswer(PYTHON, has_vllm=True), "the plugin is not installed"),
    ],
)
def test_a_python_that_would_not_load_the_plugin(facts, answer, text):
    found = only_problem(facts(asked=answer))
    assert found.subject == "python"
    assert text in found.text


def test_a_python_is_judged_with_the_environment_of_who_asks(facts):
    found = only_problem(facts(asked=PLUGIN, own_environment={"VLLM_PLUGINS": "rbln"}))
    assert found.text == "here: VLLM_PLUGINS='rbln' leaves rblntop out"


# --- printed ------------------------------------------------------------------------------------------------

FINDINGS = [ok("ring", "fine"), note("host", "bell \x07"), problem("daemon", "none", "rblntopd serve")]


def test_people_get_a_line_each_and_the_command_below():
    assert as_lines(FINDINGS) == [
        "ok       ring     fine",
        "note     host     bell ?",
        "PROBLEM  daemon   none",
        "                  -> rblntopd serve",
        "1 problem",
    ]


def test_scripts_get_one_object():
    found = json.loads(as_json(FINDINGS))
    assert found["problems"] == 1
    assert found["findings"][2] == {
        "level": "problem", "subject": "daemon", "text": "none", "command": "rblntopd serve",
    }  # fmt: skip
