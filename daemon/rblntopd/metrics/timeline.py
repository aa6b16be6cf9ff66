"""What an engine did in the last minutes, step by step added up into cells of 100 ms."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from rblntopd.metrics.batch_counts import BatchCounts
from rblntopd.metrics.cells import NS, Cells
from rblntopd.metrics.series import SIGNIFICANT_BITS, Series, rounded
from rblntopd.metrics.shapes import ShapeTimes, shape_of
from rblntopd.metrics.strip import Strip
from rblntopd.probe.ring_format import MAX_GROUPS, EmptyCause, Kind, Sample

CELL_NS = NS // 10
#: A minute, and some room for windows that end a little in the past.
KEPT_CELLS = 640
RECENT_STEPS = 256

EMPTY, PREFILL, DECODE, MIXED, LOST = (int(kind) for kind in Kind)
_NO_CAUSES: tuple[tuple[int, ...], tuple[int, ...]] = ((0,) * len(EmptyCause), (0,) * len(EmptyCause))


class GroupColumns:
    """Sums and token gaps of one group."""

    __slots__ = (
        "batches", "decode_requests", "decode_steps", "gaps", "last_decode_ns", "padded", "running",
        "unpadded_requests",
    )  # fmt: skip

    def __init__(self, cells: Cells) -> None:
        self.decode_steps = cells.column()
        self.decode_requests = cells.column()
        self.padded = cells.column()
        self.unpadded_requests = cells.column()
        """Requests of the decode steps that have no bucket."""
        self.running = cells.column()
        """Running requests, added up over the samples."""
        self.gaps = Series(KEPT_CELLS)
        self.batches = BatchCounts()
        self.last_decode_ns = 0
        """Completion of the latest decode; 0: none that the next gap could be counted from."""


class CauseColumns:
    """Empty steps of one cause, and the slot time that they held."""

    __slots__ = ("slot_ns", "steps")

    def __init__(self, cells: Cells) -> None:
        self.slot_ns = cells.column()
        self.steps = cells.column()


class Timeline:
    """Steps of one engine, added up by the cell they completed in; slot time by the cells it spans.

    Demand time is the time with unfinished requests: from the schedule of the first batch after idleness to
    the completion of the step that left nothing unfinished.
    """

    def __init__(self, group_count: int, decode_ceiling: int) -> None:
        self.group_count = group_count
        self._decode_ceiling = decode_ceiling
        self.shapes = ShapeTimes()
        self.recent_steps: deque[int] = deque(maxlen=RECENT_STEPS)
        self.recent_latencies: deque[int] = deque(maxlen=RECENT_STEPS)
        self.latest_batch: dict[int, tuple[int, int]] = {}
        """Of each group: latest decode batch and its bucket (0: none)."""
        self.latest: tuple[int, int, int] = (0, 0, 0)
        """Step, longest sequence and admission stop of the latest non-empty step."""
        self.latest_kv_usage: float | None = None
        self.forget()

    def forget(self) -> None:
        """Start over after records were lost: nothing before them would be whole."""
        self.covered_from_ns = 0
        """Every step that completed from here on is in the cells. 0: none has come yet."""
        self.cells = cells = Cells(CELL_NS, KEPT_CELLS)
        self.strip = Strip(self._decode_ceiling)
        self.prefill_steps = cells.column()
        self.mixed_steps = cells.column()
        self.lost_steps = cells.column()
        self.empty_steps = cells.column()
        self.mixed_decodes = cells.column()
        """Decoding requests of mixed steps."""
        self.prefill_tokens = cells.column()
        self.admitted = cells.column()
        self.preempted = cells.column()
        self.finished = cells.column()
        self.longest = cells.column()
        self.busy_ns = cells.column()
        """Slot time of non-empty batches."""
        self.stage_ns = cells.column()
        """Unloaded latency of the same batches."""
        self.stall_ns = cells.column()
        """Slot time of lone prefills while decodes were ready."""
        self.demand_ns = cells.column()
        self.causes: dict[int, CauseColumns] = {}
        """Of the causes that were seen."""
        self.samples = cells.column()
        self.latency = Series(KEPT_CELLS)
        self.schedule = Series(KEPT_CELLS)
        self.queue_wait = Series(KEPT_CELLS)
        self.groups = [GroupColumns(cells) for _ in range(self.group_count)]
        self.ungrouped = GroupColumns(cells)
        """Decodes of no group: counted, and in no group's figures."""
        self.open = False
        """Whether the latest record left unfinished requests."""
        self.demand_to_ns = 0
        """Demand time is in the cells up to here."""
        self._sampled_ns = 0

    def add(
        self,
        rows: Iterable[tuple[int, ...]],
        causes: Mapping[int, tuple[tuple[int, ...], tuple[int, ...]]],
    ) -> None:
        """Add step records, oldest first: a sequence word, then the fields of ``ring_format.Step``.

        ``causes`` has, by sequence number, the steps and the slot time in us of each cause of an empty run.
        A step that completed longer ago than what the cells keep is left out.

        One loop without calls for the common case, a decode that spans one cell or two: it runs for every
        step of every engine of the host.
        """
        cells, groups = self.cells, self.groups
        add_recent, add_latency = self.recent_steps.append, self.recent_latencies.append
        add_strip, learn = self.strip.add, self.shapes.learn
        busy, stage, demand, longest_of = self.busy_ns, self.stage_ns, self.demand_ns, self.longest
        this_cell, at, cell_ns, second = -1, -1, 0, 0
        latencies: list[int] = []
        schedules: list[int] = []
        counted = False
        for (
            word, step, scheduled_ns, completed_ns, schedule_ns, _generation, tokens, _waiting, longest,
            queue_wait_us, requests, prefills, padded, _running, _held, ready, preempted, finished,
            unfinished, new_requests, run_length, kv_usage, kind, group, row, stop, _in_flight,
        ) in rows:  # fmt: skip
            cell = completed_ns // CELL_NS
            if cell != this_cell:
                this_cell, cell_ns, at = cell, cell * CELL_NS, cells.reach(cell)
                second = completed_ns // NS
                counted = cell < self.latency.counted_to
                if at >= 0:
                    latencies, schedules = self.latency.open_cell(cell), self.schedule.open_cell(cell)
            if not self.covered_from_ns:
                self.covered_from_ns = completed_ns

            # Demand: see the class.
            if self.open or kind != EMPTY or unfinished:
                begin_ns = self.demand_to_ns
                if not self.open and begin_ns < scheduled_ns:
                    begin_ns = scheduled_ns
                if begin_ns >= cell_ns and at >= 0 and completed_ns >= begin_ns:
                    demand[at] += completed_ns - begin_ns
                else:
                    cells.spread(demand, begin_ns, completed_ns, completed_ns - begin_ns)
                if completed_ns > self.demand_to_ns:
                    self.demand_to_ns = completed_ns
            self.open = unfinished > 0

            duration_ns = completed_ns - scheduled_ns
            if at < 0 or duration_ns < 0:
                continue
            if preempted:
                self.preempted[at] += preempted
            if finished:
                self.finished[at] += finished
            if kind == EMPTY:
                self.empty_steps[at] += run_length
                self._add_empty(at, scheduled_ns, completed_ns, causes.get(word - 1, _NO_CAUSES))
                if not unfinished:
                    self._end_gaps()
                continue
            self.latest_kv_usage = kv_usage
            add_recent(step)
            if longest > longest_of[at]:
                longest_of[at] = longest
            if new_requests:
                self.admitted[at] += new_requests
                for _ in range(new_requests):
                    self.queue_wait.add(cell, rounded(queue_wait_us * 1000))

            unloaded_ns = 0
            if kind == DECODE:
                columns = groups[group] if 0 <= group < len(groups) else self._group(group)
                columns.decode_steps[at] += 1
                columns.decode_requests[at] += requests
                if padded:
                    columns.padded[at] += padded
                else:
                    columns.unpadded_requests[at] += requests
                self.latest_batch[group] = (requests, padded)
                batches = columns.batches
                counts = batches.latest if batches.second == second else batches.open_second(second)
                batch = requests << 16 | padded
                counts[batch] = counts.get(batch, 0) + 1
                if columns.last_decode_ns:
                    columns.gaps.add(cell, rounded(completed_ns - columns.last_decode_ns))
                columns.last_decode_ns = completed_ns if finished < requests else 0
            elif kind == LOST:
                self.lost_steps[at] += 1
            else:
                self._add_prefill(at, cell, completed_ns, kind, group, requests, prefills, tokens, finished)
            if kind != LOST:
                self.latest = (step, longest, stop)
                add_latency(duration_ns)
                # series.rounded(), written out.
                shift = duration_ns.bit_length() - SIGNIFICANT_BITS
                latency = (duration_ns >> shift << shift) + (1 << shift >> 1) if shift > 0 else duration_ns
                shift = schedule_ns.bit_length() - SIGNIFICANT_BITS
                schedule = (schedule_ns >> shift << shift) + (1 << shift >> 1) if shift > 0 else schedule_ns
                if counted:
                    self.latency.add(cell, latency)
                    self.schedule.add(cell, schedule)
                else:
                    latencies.append(latency)
                    schedules.append(schedule)
                unloaded_ns = learn(shape_of(kind, requests, padded, tokens), duration_ns)
                add_strip(kind, row, scheduled_ns, completed_ns, requests - prefills, padded)

            before_ns = cell_ns - scheduled_ns
            if before_ns <= 0:
                busy[at] += duration_ns
                stage[at] += unloaded_ns
            elif before_ns <= CELL_NS and at:
                busy[at - 1] += before_ns
                busy[at] += duration_ns - before_ns
                if duration_ns:
                    early_ns = unloaded_ns * before_ns // duration_ns
                    stage[at - 1] += early_ns
                    stage[at] += unloaded_ns - early_ns
            else:
                cells.spread(busy, scheduled_ns, completed_ns, duration_ns)
                cells.spread(stage, scheduled_ns, completed_ns, unloaded_ns)
            if ready and kind == PREFILL:
                cells.spread(self.stall_ns, scheduled_ns, completed_ns, duration_ns)
            if not unfinished:
                self._end_gaps()

    def add_sample(self, sample: Sample) -> None:
        """Add the running requests of each group, once for each sample."""
        if sample.mono_ns <= self._sampled_ns:
            return
        self._sampled_ns = sample.mono_ns
        at = self.cells.reach(sample.mono_ns // CELL_NS)
        if at < 0:
            return
        self.samples[at] += 1
        for columns, running in zip(self.groups, sample.group_running, strict=False):
            columns.running[at] += running

    def _end_gaps(self) -> None:
        """Nothing is unfinished: the next decode is no next token of anybody."""
        for columns in self.groups:
            columns.last_decode_ns = 0

    def _group(self, group: int) -> GroupColumns:
        """The columns of a group that has none yet; of no group, one for all such."""
        if not 0 <= group < MAX_GROUPS:
            self.ungrouped.last_decode_ns = 0  # No gaps: these are no one group's steps.
            return self.ungrouped
        while group >= len(self.groups):
            self.groups.append(GroupColumns(self.cells))
        return self.groups[group]

    def _add_prefill(
        self,
        at: int,
        cell: int,
        completed_ns: int,
        kind: int,
        group: int,
        requests: int,
        prefills: int,
        tokens: int,
        finished: int,
    ) -> None:
        """A prefill or a mixed step. The decodes of a mixed step give tokens, and no decode batch."""
        decodes = requests - prefills
        self.prefill_tokens[at] += tokens - decodes
        if kind == PREFILL:
            self.prefill_steps[at] += 1
            return
        self.mixed_steps[at] += 1
        self.mixed_decodes[at] += decodes
        if decodes > 0:
            columns = self._group(group)
            if columns.last_decode_ns:
                columns.gaps.add(cell, rounded(completed_ns - columns.last_decode_ns))
            columns.last_decode_ns = completed_ns if finished < decodes else 0

    def _add_empty(
        self,
        at: int,
        scheduled_ns: int,
        completed_ns: int,
        causes: tuple[tuple[int, ...], tuple[int, ...]],
    ) -> None:
        """Slot time of a run is spread evenly over it; what lies behind the end of the demand is dropped."""
        end_ns = min(completed_ns, self.demand_to_ns)
        for cause, (steps, slot_us) in enumerate(zip(*causes, strict=True)):
            if not steps:
                continue
            columns = self.causes.get(cause)
            if columns is None:
                columns = self.causes[cause] = CauseColumns(self.cells)
            columns.steps[at] += steps
            if end_ns > scheduled_ns:
                slot_ns = slot_us * 1000 * (end_ns - scheduled_ns) // (completed_ns - scheduled_ns)
                self.cells.spread(columns.slot_ns, scheduled_ns, end_ns, slot_ns)
