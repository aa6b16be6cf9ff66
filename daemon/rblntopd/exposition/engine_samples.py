"""The samples of one engine."""

from __future__ import annotations

from rblntopd.engines.engine import Engine
from rblntopd.engines.limits import LimitKind, Limits
from rblntopd.exposition.families import BATCH_SIZE, GAP_SECONDS, STEP_SECONDS
from rblntopd.exposition.text import Page, histogram_template, label
from rblntopd.metrics.cells import NS
from rblntopd.metrics.state import EngineState, last_sign_ns
from rblntopd.metrics.totals import NO_GROUP, Histogram, Totals
from rblntopd.probe.ring_format import EmptyCause, Kind, Live

#: A name is somebody else's text; so much of it tells engines apart.
MAX_LABEL = 200


class EngineSamples:
    """Writes one engine, of which the labels never change."""

    def __init__(self, engine: Engine, name: str) -> None:
        """``name`` is the label, which no other engine on the page may have."""
        self.name = name
        self.engine = engine
        description = engine.description
        self._labels = f"{label('engine', name)},{label('model', description.model[:MAX_LABEL])}"
        texts = {
            "vllm_version": description.vllm_version,
            "vllm_rbln_version": description.vllm_rbln_version,
            "probe_version": description.probe_version,
            "scheduler": description.scheduler_class,
            "pp_size": str(description.pp_size),
            "tp_size": str(description.tp_size),
            "dp_rank": str(description.dp_rank),
            "simulated": str(description.simulated).lower(),
        }
        self._info = ",".join((self._labels, *(label(key, text[:MAX_LABEL]) for key, text in texts.items())))
        self._templates: dict[tuple[str, str], str] = {}

    def write(self, page: Page, now_ns: int, lag: int, reverted_ns: int | None) -> None:
        """Add the engine as it was at its last refresh. Of one that is gone only that it is.

        Args:
            page: Where to.
            now_ns: CLOCK_MONOTONIC.
            lag: Records that were not read before that refresh.
            reverted_ns: When a trial of it last reverted (wall clock); None: never.
        """
        engine, labels = self.engine, self._labels
        state = engine.state(now_ns)
        for known in EngineState:
            page.add("rblntop_engine_state", f'{labels},state="{known.value}"', int(known is state))
        page.add("rblntop_engine_restarts_total", labels, engine.restarts)
        if engine.gone:
            return
        page.add("rblntop_engine_info", self._info, 1)
        header, live = engine.reader.header, engine.live
        sign_ns = last_sign_ns(live) or header.mono_ns
        page.add("rblntop_engine_start_time_seconds", labels, header.real_ns / NS)
        page.add("rblntop_engine_silent_seconds", labels, max(0, now_ns - sign_ns) / NS)
        page.add("rblntop_ring_lag_records", labels, lag)
        page.add("rblntop_ring_capacity_records", labels, engine.reader.capacity)
        page.add("rblntop_lost_records_total", labels, engine.missed)
        page.add("rblntop_probe_seconds_total", labels, live[Live.PROBE_NS] / NS)
        page.add("rblntop_trial_reverted_timestamp_seconds", labels, reverted_ns and reverted_ns / NS)
        self._write_sample(page)
        limits = engine.last_limits()
        if limits is not None:
            self._write_limits(page, limits)
        self._write_totals(page, engine.totals)

    def _write_sample(self, page: Page) -> None:
        engine, labels = self.engine, self._labels
        live, sample = engine.live, engine.sample
        page.add("rblntop_unfinished_requests", labels, live[Live.UNFINISHED])
        page.add("rblntop_batches_in_flight", labels, len(engine.in_flight))
        page.add("rblntop_batch_slots", labels, engine.description.batch_queue_depth)
        if sample is None:
            page.add("rblntop_running_requests", labels, live[Live.RUNNING])
            page.add("rblntop_waiting_requests", labels, live[Live.WAITING])
            return
        page.add("rblntop_running_requests", labels, sample.running)
        page.add("rblntop_waiting_requests", labels, sample.waiting)
        page.add("rblntop_preempted_waiting_requests", labels, sample.preempted)
        page.add("rblntop_held_requests", labels, sample.held)
        wait = sample.oldest_wait_ms / 1000 if sample.waiting else None
        page.add("rblntop_oldest_wait_seconds", labels, wait)
        page.add("rblntop_kv_cache_usage_ratio", labels, sample.kv_usage)
        for group in range(engine.description.group_count):
            page.add(
                "rblntop_group_running_requests", f'{labels},group="{group}"', sample.group_running[group]
            )

    def _write_limits(self, page: Page, limits: Limits) -> None:
        labels = self._labels
        for limit in limits.limits:
            if limit.kind is LimitKind.MAX_NUM_SEQS:
                name, of = "rblntop_max_num_seqs", labels
            else:
                name, of = "rblntop_group_cap", f'{labels},group="{limit.group}"'
            page.add(f"{name}_target", of, limit.target or limit.ceiling)
            page.add(f"{name}_effective", of, limit.effective)
            page.add(f"{name}_ceiling", of, limit.ceiling)
        admission = limits.admission_state
        page.add("rblntop_admission_limit", labels, limits.admission)
        page.add("rblntop_admission_closed", labels, int(admission.closed or admission.paused))
        page.add("rblntop_group_caps_hold", labels, int(bool(limits.hold)))
        page.add("rblntop_trial_pending", labels, int(limits.trial is not None))
        page.add("rblntop_limits_generation", labels, limits.generation)

    def _write_totals(self, page: Page, totals: Totals) -> None:
        labels = self._labels
        for kind in Kind:
            page.add("rblntop_steps_total", f'{labels},kind="{kind.name.lower()}"', totals.steps[kind])
        for cause in EmptyCause:
            of = f'{labels},cause="{cause.name.lower()}"'
            page.add("rblntop_empty_steps_total", of, totals.empty_steps[cause])
            page.add("rblntop_empty_slot_seconds_total", of, totals.empty_slot_us[cause] / 1e6)
        page.add("rblntop_batch_slot_seconds_total", labels, totals.slot_ns / NS)
        page.add("rblntop_demand_seconds_total", labels, totals.demand_ns / NS)
        page.add("rblntop_prefill_stall_seconds_total", labels, totals.stall_ns / NS)
        page.add("rblntop_schedule_seconds_total", labels, totals.schedule_ns / NS)
        page.add("rblntop_output_tokens_total", labels, totals.output_tokens)
        page.add("rblntop_prefill_tokens_total", labels, totals.prefill_tokens)
        page.add("rblntop_admitted_requests_total", labels, totals.admitted)
        page.add("rblntop_finished_requests_total", labels, totals.finished)
        page.add("rblntop_preemptions_total", labels, totals.preempted)
        for number, histogram in totals.latency.items():
            if totals.steps[number]:
                kind_label = f'kind="{Kind(number).name.lower()}"'
                self._write_histogram(page, STEP_SECONDS, kind_label, histogram, NS)
        for group, counts in sorted(totals.groups.items()):
            group_label = 'group="none"' if group == NO_GROUP else f'group="{group}"'
            page.add(
                "rblntop_decode_bucket_requests_total", f"{labels},{group_label}", counts.bucket_requests
            )
            page.add("rblntop_decode_bucket_slots_total", f"{labels},{group_label}", counts.bucket_slots)
            self._write_histogram(page, BATCH_SIZE, group_label, counts.batches, 1)
            if group != NO_GROUP:
                self._write_histogram(page, GAP_SECONDS, group_label, counts.gaps, NS)

    def _write_histogram(self, page: Page, name: str, more: str, histogram: Histogram, unit: int) -> None:
        template = self._templates.get((name, more))
        if template is None:
            template = histogram_template(name, f"{self._labels},{more}", histogram.bounds, unit)
            self._templates[name, more] = template
        page.add_histogram(name, template, histogram, unit)
