"""What an engine did in the last minutes, step by step added up into cells of 100 ms."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from rblntopd.metrics.cells import NS, Cells
from rblntopd.metrics.series import Series, rounded
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

    def __init__(self, cells: Cells) -> None:
        self.decode_steps = cells.column()
        self.decode_requests = cells.column()
        self.padded_real = cells.column()
        """Requests of the decode steps that have a bucket."""
        self.padded = cells.column()
        self.running = cells.column()
        """Running requests, added up over the samples."""
        self.gaps = Series(KEPT_CELLS)
        self.last_decode_ns = 0
        """Completion of the latest decode; 0: none that the next gap could be counted from."""


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
        self.recent_latencies: deque[int] = deque(maxlen=512)
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
        self.steps = {kind: cells.column() for kind in (PREFILL, DECODE, MIXED, LOST, EMPTY)}
        self.padded_real = cells.column()
        self.padded = cells.column()
        self.output_tokens = cells.column()
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
        self.cause_ns = [cells.column() for _ in EmptyCause]
        self.cause_steps = [cells.column() for _ in EmptyCause]
        self.samples = cells.column()
        self.latency = Series(KEPT_CELLS)
        self.schedule = Series(KEPT_CELLS)
        self.queue_wait = Series(KEPT_CELLS)
        self.groups = [GroupColumns(cells) for _ in range(self.group_count)]
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
        """Add step records, oldest first: the fields of ``ring_format.Step`` after the sequence word.

        ``causes`` has, by sequence number, the steps and the slot time in us of each cause of an empty run.
        """
        cells, spread, reach = self.cells, self.cells.spread, self.cells.reach
        groups, recent = self.groups, self.recent_steps
        for (
            word, step, scheduled_ns, completed_ns, schedule_ns, _generation, tokens, _waiting, longest,
            queue_wait_us, requests, prefills, padded, _running, _held, ready, preempted, finished,
            unfinished, new_requests, run_length, kv_usage, kind, group, row, stop, _in_flight,
        ) in rows:  # fmt: skip
            if not self.covered_from_ns:
                self.covered_from_ns = completed_ns
            cell = completed_ns // CELL_NS
            at = reach(cell)
            if preempted and at >= 0:
                self.preempted[at] += preempted
            if finished and at >= 0:
                self.finished[at] += finished
            self._add_demand(kind, scheduled_ns, completed_ns, unfinished)
            self.latest_kv_usage = kv_usage
            if kind == EMPTY:
                if at >= 0:
                    self.steps[EMPTY][at] += run_length
                    self._add_empty(at, scheduled_ns, completed_ns, causes.get(word - 1, _NO_CAUSES))
                continue
            recent.append(step)
            duration_ns = completed_ns - scheduled_ns
            if duration_ns < 0 or kind not in self.steps:
                continue
            if at >= 0:
                self.steps[kind][at] += 1
                if longest > self.longest[at]:
                    self.longest[at] = longest
                if new_requests:
                    self.admitted[at] += new_requests
                    self.queue_wait.add(cell, [rounded(queue_wait_us * 1000)] * new_requests)
            decodes = requests - prefills
            if kind != LOST:
                self.latest = (step, longest, stop)
                self.recent_latencies.append(duration_ns)
                self.latency.add(cell, (rounded(duration_ns),))
                self.schedule.add(cell, (rounded(schedule_ns),))
                unloaded_ns = self.shapes.learn(shape_of(kind, requests, padded, tokens), duration_ns)
                spread(self.stage_ns, scheduled_ns, completed_ns, unloaded_ns)
                if at >= 0:
                    self.output_tokens[at] += decodes
                    self.prefill_tokens[at] += tokens - decodes if prefills else 0
                if kind == DECODE:
                    if at >= 0 and padded:
                        self.padded_real[at] += decodes
                        self.padded[at] += padded
                elif kind == PREFILL and ready:
                    spread(self.stall_ns, scheduled_ns, completed_ns, duration_ns)
                if 0 <= group < MAX_GROUPS and decodes > 0:
                    while group >= len(groups):
                        groups.append(GroupColumns(cells))
                    if kind == DECODE:
                        self.latest_batch[group] = (decodes, padded)
                    _add_decode(groups[group], at, cell, completed_ns, kind, decodes, padded)
                    if finished >= decodes:
                        groups[group].last_decode_ns = 0
                self.strip.add(kind, row, scheduled_ns, completed_ns, decodes, padded)
            spread(self.busy_ns, scheduled_ns, completed_ns, duration_ns)
            if not unfinished:
                for columns in groups:
                    columns.last_decode_ns = 0

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

    def _add_demand(self, kind: int, scheduled_ns: int, completed_ns: int, unfinished: int) -> None:
        begin_ns = self.demand_to_ns
        if not self.open:
            begin_ns = max(begin_ns, scheduled_ns)
        if completed_ns > begin_ns and (self.open or kind != EMPTY or unfinished):
            self.cells.spread(self.demand_ns, begin_ns, completed_ns, completed_ns - begin_ns)
            self.demand_to_ns = completed_ns
        self.open = unfinished > 0

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
            self.cause_steps[cause][at] += steps
            if end_ns > scheduled_ns:
                slot_ns = slot_us * 1000 * (end_ns - scheduled_ns) // (completed_ns - scheduled_ns)
                self.cells.spread(self.cause_ns[cause], scheduled_ns, end_ns, slot_ns)


def _add_decode(
    columns: GroupColumns, at: int, cell: int, completed_ns: int, kind: int, decodes: int, padded: int
) -> None:
    if columns.last_decode_ns and completed_ns >= columns.last_decode_ns:
        columns.gaps.add(cell, (rounded(completed_ns - columns.last_decode_ns),))
    columns.last_decode_ns = completed_ns
    if at < 0 or kind != DECODE:
        return
    columns.decode_steps[at] += 1
    columns.decode_requests[at] += decodes
    if padded:
        columns.padded_real[at] += decodes
        columns.padded[at] += padded
