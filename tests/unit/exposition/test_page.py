"""The page that Prometheus scrapes, read by prometheus_client's own parser."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from rblntopd.engines import engine as engine_module
from rblntopd.engines.registry import Registry
from rblntopd.events.event import Event, EventKind, Severity
from rblntopd.events.event_log import EventLog
from rblntopd.exposition import exposition as exposition_module
from rblntopd.exposition.daemon_collector import DaemonCollector, DaemonCounts
from rblntopd.exposition.exposition import Exposition
from rblntopd.exposition.families import FAMILIES
from rblntopd.probe.ring_format import MAX_GROUPS, Kind, Live, ProbeState, Sample

DOCS = Path(__file__).parents[3] / "docs" / "prometheus.md"


@pytest.fixture
def living(monkeypatch):
    """Engines of one's own process hold locks that one cannot see."""
    monkeypatch.setattr(engine_module, "is_locked", lambda _: True)


@pytest.fixture
def registry(tmp_path, make_ring, living):
    (tmp_path / "engines").mkdir(mode=0o700)
    registry = Registry(tmp_path)
    yield registry
    registry.close()


@pytest.fixture
def add_engine(make_ring, tmp_path):
    """Makes a ring where the registry looks."""

    def add(file, **keys):
        ring = make_ring(
            file, directory="engines", **{"capacity": 64, "pp_size": 2, "max_num_seqs": 8} | keys
        )
        running = (4, 2) + (0,) * (MAX_GROUPS - 2)
        ring.write_sample(Sample(1, 9, 6, 3, 1, 0, 2, 0, 99, 0.5, 250, 9, 0, running))
        return ring

    return add


@pytest.fixture
def events():
    return EventLog()


@pytest.fixture
def counts():
    return DaemonCounts()


@pytest.fixture
def page(registry, events, counts):
    """Makes a page and reads it: samples by name and labels."""

    async def page():
        made = Exposition(registry, events, counts)
        registry.scan()
        return parsed((await made.page()).decode())

    return page


def parsed(text):
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in found, f"{key} is there twice"
            found[key] = sample.value
    return found


def value(page, name, **labels):
    """The sample with at least these labels; there is one at most."""
    found = [
        number for (of, has), number in page.items() if of == name and labels.items() <= dict(has).items()
    ]
    assert len(found) <= 1
    return found[0] if found else None


async def test_an_engine_is_on_the_page(page, add_engine, make_step):
    ring = add_engine("one", name="prod/0", model="m")
    made = await page()
    assert value(made, "rblntop_running_requests", engine="prod/0", model="m") == 6
    assert value(made, "rblntop_oldest_wait_seconds", engine="prod/0") == 0.25
    assert [value(made, "rblntop_group_running_requests", group=str(group)) for group in range(2)] == [4, 2]
    assert value(made, "rblntop_engine_state", state="starting") == 1
    assert value(made, "rblntop_engine_state", state="stalled") == 0
    ring.publish(make_step(1, requests=3, padded=4))
    made = await page()
    assert value(made, "rblntop_steps_total", kind="decode") == 1
    assert value(made, "rblntop_decode_bucket_slots_total", group="0") == 4


async def test_a_histogram_is_cumulative_and_in_seconds(page, registry, add_engine, make_step):
    ring = add_engine("one", name="prod/0")
    await page()
    now_ns = make_step(1).completed_ns
    for number, ms in enumerate((3, 5, 60_000), 1):
        ring.publish(
            make_step(number, scheduled_ns=now_ns - ms * 10**6, completed_ns=now_ns, kind=Kind.DECODE)
        )
    made = await page()
    buckets = {
        dict(labels)["le"]: count
        for (name, labels), count in made.items()
        if name == "rblntop_step_seconds_bucket"
    }
    assert (buckets["0.002"], buckets["0.005"], buckets["30.0"], buckets["+Inf"]) == (0, 2, 2, 3)
    assert value(made, "rblntop_step_seconds_sum", kind="decode") == pytest.approx(60.008)
    assert value(made, "rblntop_step_seconds_count", kind="decode") == 3


@pytest.mark.parametrize("name", ['quote" and \\ and % and {}', "새 모델/0", "x" * 900])
async def test_any_name_is_a_label(page, add_engine, make_step, name):
    ring = add_engine("one", name=name)
    ring.publish(make_step(1))
    made = await page()
    assert value(made, "rblntop_running_requests", engine=name[:200]) == 6


async def test_two_engines_of_one_name_have_different_labels(page, add_engine):
    add_engine("one", name="prod/0", instance_id="a")
    add_engine("two", name="prod/0", instance_id="b")
    made = await page()
    names = {dict(labels)["engine"] for name, labels in made if name == "rblntop_running_requests"}
    assert names == {"prod/0@a", "prod/0@b"}


async def test_of_an_engine_that_is_gone_only_that_is_said(page, add_engine):
    add_engine("one", name="prod/0").set_live(Live.STATE, ProbeState.CLOSED)
    made = await page()
    assert value(made, "rblntop_engine_state", state="gone") == 1
    assert value(made, "rblntop_running_requests") is None


async def test_engines_beyond_what_a_page_holds_are_counted(page, add_engine, counts, monkeypatch):
    monkeypatch.setattr(exposition_module, "MAX_ENGINES", 1)
    for name in "ab":
        add_engine(name, name=name)
    made = await page()
    assert value(made, "rblntop_running_requests", engine="a") == 6
    assert value(made, "rblntop_running_requests", engine="b") is None
    assert counts.engines_left_out == 1


async def test_a_trial_that_reverted_is_on_the_page_also_from_before_the_daemon(page, add_engine, events):
    add_engine("one", name="prod/0", instance_id="i")
    reverted = Event(
        EventKind.TRIAL_REVERTED, Severity.WATCH, 7 * 10**9, "", engine="prod/0", instance_id="i"
    )
    assert value(await page(), "rblntop_trial_reverted_timestamp_seconds") is None
    events.restore([reverted])
    assert value(await page(), "rblntop_trial_reverted_timestamp_seconds", engine="prod/0") == 7


class Numbered(Collector):
    """Says how often it was asked."""

    asked = 0

    def collect(self):
        self.asked += 1
        yield GaugeMetricFamily("asked", "times", self.asked)


async def test_who_asks_again_at_once_gets_the_same_page(registry, events, counts, monkeypatch):
    asked = Numbered()
    made = Exposition(registry, events, counts, asked)
    before = asked.asked
    assert await made.page() == await made.page()
    assert asked.asked == before + 1
    monkeypatch.setattr(exposition_module, "MIN_AGE_S", 0)
    await made.page()
    assert asked.asked == before + 2


async def test_a_page_that_could_not_be_made_is_made_anew(registry, events, counts):
    made = Exposition(registry, events, counts)
    made.before.append(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await made.page()
    made.before.clear()
    assert b"process_cpu_seconds_total" in await made.page()


@pytest.fixture
def full_page(registry, events, counts, add_engine, make_step):
    """The text of a page that has every metric of the daemon and of a busy engine."""

    async def full_page():
        class Watch:
            subscribers = ()
            dropped = 0

        class Audit:
            errors = 0

        ring = add_engine("one", name="prod/0")
        registry.scan()
        for number, kind in enumerate((Kind.DECODE, Kind.DECODE, Kind.PREFILL), 1):
            ring.publish(make_step(number, kind=kind))
        collector = DaemonCollector(registry, Watch(), Audit(), counts)
        return (await Exposition(registry, events, counts, collector).page()).decode()

    return full_page


async def test_promtool_finds_nothing_to_say(full_page):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    found = subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop
        [promtool, "check", "metrics"], input=await full_page(), text=True, capture_output=True
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


async def test_the_documentation_lists_every_metric_and_no_other(full_page):
    exposed = {family.name for family in FAMILIES} | {
        family.name + "_total" * (family.type == "counter")
        for family in text_string_to_metric_families(await full_page())
        if family.name.startswith("rblntop_")
    }
    listed = set(re.findall(r"`(rblntop_[a-z_]+)", DOCS.read_text()))
    assert listed == exposed


def test_a_family_is_named_as_prometheus_wants_it():
    for family in FAMILIES:
        assert family.name.endswith("_total") == (family.kind == "counter"), family.name
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_the_registry_of_the_library_takes_the_daemons_metrics():
    class Nothing(list):
        subscribers = ()
        dropped = errors = 0

        def every(self):
            return []

    CollectorRegistry().register(DaemonCollector(Nothing(), Nothing(), Nothing(), DaemonCounts()))
