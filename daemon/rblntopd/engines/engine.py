"""One engine: its ring, what was read from it so far, and snapshots made of that."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rblntopd.engines.description import Description, from_json
from rblntopd.engines.limits import Limits, limits_of
from rblntopd.engines.liveness import is_locked
from rblntopd.engines.ring_file import RingFileError
from rblntopd.engines.ring_reader import CHUNK_RECORDS, RingReader
from rblntopd.engines.snapshot import EngineInfo, GroupNow, Snapshot
from rblntopd.history.sampled_seconds import SampledSeconds
from rblntopd.metrics.cells import NS
from rblntopd.metrics.state import STALL_NS, EngineState, engine_state, last_sign_ns, last_step_ns
from rblntopd.metrics.strip import MAX_CELLS
from rblntopd.metrics.timeline import CELL_NS, RECENT_STEPS, Timeline
from rblntopd.metrics.totals import Totals
from rblntopd.metrics.window import window
from rblntopd.probe import ring_format as fmt
from rblntopd.probe.ring_format import LimitFlags, Live, ProbeState

#: How far back a daemon reads when it meets an engine: the longest strip.
LOOK_BACK_NS = (MAX_CELLS + 5) * NS
DETACHED = "detached: restart the engine to attach again"
#: A sample is taken every 100 ms, by a step or between steps.
FRESH_NS = 300_000_000
_COMPLETED = 1 + fmt.Step._fields.index("completed_ns")
#: A count of requests has 32 bits in the API.
MAX_REQUESTS = 2**32 - 1


class Engine:
    """What the daemon knows of one engine instance. Only :meth:`refresh` reads records."""

    def __init__(self, reader: RingReader) -> None:
        self.reader = reader
        self.description: Description = from_json(reader.description())
        self.instance_id = self.description.instance_id or reader.path.stem
        self.name = self.description.name or self.instance_id
        self.restarts = 0
        self.gone = False
        """Its process has ended, or has said that it ends."""
        self.missed = 0
        self.sequence = 0
        """Sequence number of the next record to read."""
        self.finished = False
        """Gone, and read to its end."""
        self._live = reader.live()
        self._in_flight: list[fmt.InFlight] = []
        self._in_flight_seen: list[fmt.InFlight] = []
        self._sample: fmt.Sample | None = None
        self._limits: fmt.Limits | None = None
        self._fault = ""
        self.timeline = Timeline(self.description.group_count, self._decode_ceiling())
        self.totals = Totals()
        self._met_ns = time.monotonic_ns()
        self.sampled = SampledSeconds(self.description.group_count)
        self.check_alive()
        self._begin()

    def _decode_ceiling(self) -> int:
        buckets = self.description.decode_buckets
        return buckets[-1] if buckets else self.description.max_num_seqs

    def _begin(self) -> None:
        """Skip what is too old for any figure."""
        latest_ns = last_sign_ns(self._live) if self.gone else time.monotonic_ns()
        self.sequence = self.reader.first_completed_since(latest_ns - LOOK_BACK_NS)
        if not self.sequence:
            self.timeline.covered_from_ns = self.reader.header.mono_ns
            return
        before = self.reader.read(self.sequence - 1, 1)
        if before.rows and not before.missed:
            # The record before is still there, so that none since then is missing.
            self.timeline.covered_from_ns = latest_ns - LOOK_BACK_NS

    def check_alive(self) -> bool:
        """Look whether the engine still lives. Once gone it stays gone."""
        if not self.gone:
            # The lock first: an engine that ends says so before it lets go.
            locked = is_locked(self.reader.fileno())
            self._live = self.reader.live()
            self.gone = not locked or self._live[Live.STATE] == fmt.ProbeState.CLOSED
        return not self.gone

    def replace_ring(self, reader: RingReader) -> None:
        """The engine made its ring again, after somebody had removed it; sequence numbers go on."""
        self.reader.close()
        self.reader = reader
        self.gone = self.finished = False
        if reader.head() < self.sequence:
            self.sequence = 0
            self.timeline.forget()
            self.totals.forget()

    def refresh(self, limit: int = CHUNK_RECORDS) -> bool:
        """Read what is new, at most ``limit`` records; true if there may be more.

        Raises:
            RingFileError: the ring cannot be read any more.
        """
        reader = self.reader
        # In this order: what was scheduled before the sample and completes in between is in the records, and
        # is then left out of the table.
        sample = reader.sample()
        in_flight = reader.in_flight()
        found = reader.read(self.sequence, limit)
        if found.missed:
            self.missed += found.missed
            self.timeline.forget()
            self.totals.forget()
        self.sequence = found.next
        self.timeline.add(found.rows, found.causes)
        self.totals.add(found.rows, found.causes)
        if found.rows and found.rows[0][_COMPLETED] < self._met_ns:
            # Nobody looked at the scheduler then.
            self.sampled.add_steps(row for row in found.rows if row[_COMPLETED] < self._met_ns)
        self._live = reader.live()
        recent = self.timeline.recent_steps
        oldest = recent[-1] - RECENT_STEPS if recent else 0
        self._in_flight_seen = [batch for batch in in_flight if batch.step > oldest]
        self._in_flight = [batch for batch in self._in_flight_seen if batch.step not in recent]
        if sample is not None:
            self._sample = sample
            self.timeline.add_sample(sample)
            self.sampled.add_sample(sample)
        self._limits = reader.limits() or self._limits
        if self._live[Live.FAULT_LENGTH] and not self._fault:
            self._fault = reader.fault()
        more = len(found.rows) >= min(limit, CHUNK_RECORDS)
        self.finished = self.gone and not more
        return more

    @property
    def live(self) -> tuple[int, ...]:
        """The live words as they were last read."""
        return self._live

    @property
    def limits_block(self) -> fmt.Limits | None:
        """The limits as they were last read from the ring."""
        return self._limits

    @property
    def sample(self) -> fmt.Sample | None:
        """The sample as it was last read; None before the first."""
        return self._sample

    def last_limits(self) -> Limits | None:
        """The limits as they were last read; None when the engine shows none."""
        return limits_of(self._limits, self.description) if self._limits else None

    def limits(self) -> Limits | None:
        """The limits, read from the ring now; None when the engine shows none.

        Raises:
            RingFileError: the ring cannot be read any more.
        """
        self._limits = self.reader.limits() or self._limits
        return self.last_limits()

    def state(self, now_ns: int) -> EngineState:
        """What the engine is doing."""
        slowest_ns = 0
        if now_ns - last_step_ns(self._live) > STALL_NS and self.timeline.recent_latencies:
            ordered = sorted(self.timeline.recent_latencies)
            slowest_ns = ordered[int(len(ordered) * 0.99)]
        closed = self._limits is not None and bool(
            self._limits.flags & (LimitFlags.CLOSED | LimitFlags.PAUSED)
        )
        return engine_state(self._live, now_ns, not self.gone, slowest_ns, closed)

    def info(self, now_ns: int) -> EngineInfo:
        """Who the engine is."""
        header = self.reader.header
        return EngineInfo(
            name=self.name,
            instance_id=self.instance_id,
            state=self.state(now_ns),
            pid=header.pid,
            started_real_ns=header.real_ns,
            description=self.description,
            restarts=self.restarts,
            notice=self._notice(),
        )

    @property
    def detached(self) -> bool:
        """Whether an operator took the probe out of the engine, which lives on."""
        return not self.gone and self._live[Live.STATE] == ProbeState.DETACHED

    @property
    def unavailable_reason(self) -> str:
        """Why nothing can be asked of its probe; empty: it can be asked."""
        if self._fault:
            return f"the probe switched itself off: {self._fault}"
        if self.detached:
            return DETACHED
        return "" if self.description.control_socket else "the engine has no control socket"

    def _notice(self) -> str:
        return self.unavailable_reason if self._fault or self.detached else self.description.notice

    @property
    def in_flight(self) -> Sequence[fmt.InFlight]:
        """Batches scheduled and not yet in the timeline."""
        return self._in_flight

    def known_to_ns(self, now_ns: int) -> int:
        """Up to when everything is known: where windows end.

        The probe publishes records, the sample and the batches in flight together, ten times a second. Of an
        engine that published nothing for longer, what was in flight is still there. A dead engine's figures
        end with it.
        """
        if self.gone:
            return (last_sign_ns(self._live) or self.reader.header.mono_ns) + CELL_NS
        if self._sample is not None and 0 <= now_ns - self._sample.mono_ns < FRESH_NS:
            return self._sample.mono_ns
        return now_ns

    def snapshot(
        self, now_ns: int, time_ns: int, window_seconds: Sequence[int], strip_cells: int
    ) -> Snapshot:
        """The engine as it was at the last :meth:`refresh`.

        Args:
            now_ns: CLOCK_MONOTONIC.
            time_ns: wall clock of the same moment.
            window_seconds: lengths of the windows.
            strip_cells: cells of each group's strip.
        """
        live, sample, description = self._live, self._sample, self.description
        sign_ns = last_sign_ns(live) or self.reader.header.mono_ns
        end_ns = self.known_to_ns(now_ns)
        timeline = self.timeline
        # A slot without a batch is empty only where there are records: before them nothing is known of it.
        known_cells = end_ns // NS - timeline.covered_from_ns // NS if timeline.covered_from_ns else 0
        strip_cells = min(strip_cells, max(0, known_cells))
        steps = live[Live.PROBE_STEPS]
        return Snapshot(
            engine=self.info(now_ns),
            time_ns=time_ns,
            now_ns=now_ns,
            age_seconds=max(0, now_ns - sign_ns) / NS,
            step=live[Live.STEP],
            next_sequence=self.sequence,
            missed_records=self.missed,
            # The words of the live block have 64 bits, and anybody's garbage in them.
            running=sample.running if sample else min(live[Live.RUNNING], MAX_REQUESTS),
            waiting=sample.waiting if sample else min(live[Live.WAITING], MAX_REQUESTS),
            sample=sample,
            kv_usage_ratio=sample.kv_usage if sample else timeline.latest_kv_usage,
            max_seq_len=timeline.latest[1] or None,
            admission_stop=timeline.latest[2],
            groups=tuple(
                GroupNow(
                    group=group,
                    running=sample.group_running[group] if sample else 0,
                    decode_batch=batch[0] or None,
                    padded_batch=batch[1] or None,
                    strip=tuple(timeline.strip.cells(group, strip_cells, end_ns, self._in_flight))
                    if strip_cells
                    else (),
                )
                for group in range(description.group_count)
                for batch in (timeline.latest_batch.get(group, (0, 0)),)
            ),
            in_flight=tuple(self._in_flight_seen),
            limits=self.last_limits(),
            windows=tuple(
                window(
                    timeline,
                    seconds,
                    end_ns // CELL_NS,
                    self._in_flight,
                    slots=description.batch_queue_depth,
                    stages=description.pp_size,
                )
                for seconds in window_seconds
            ),
            probe_us_per_step=live[Live.PROBE_NS] / steps / 1000 if steps else None,
        )

    def close(self) -> None:
        """Let go of the ring. Who still asks is told that the engine is gone."""
        self.gone = True
        self.reader.close()


def open_engine(reader: RingReader) -> Engine:
    """The engine behind ``reader``, which is closed if it cannot be read after all.

    Raises:
        RingFileError: the ring cannot be read.
    """
    try:
        return Engine(reader)
    except RingFileError:
        reader.close()
        raise
