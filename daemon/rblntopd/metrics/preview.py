"""What a change of limits would do, by what ran in the last minute. An estimate, and nothing of it a promise.

Each decode step of the last minute is taken again as the new limits would bound it once they have
settled: by the cap of its group, and by the even share of the admission where the engine spreads its
decodes. What is held back runs in steps of its own, which are not counted again. Batches that would grow
are taken as they were: nobody knows what waits for room.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rblntopd.metrics.batch_counts import SECONDS
from rblntopd.metrics.cells import NS
from rblntopd.metrics.timeline import CELL_NS, Timeline
from rblntopd.metrics.window import pad_ratio
from rblntopd.probe.limits import LimitState, even_share


@dataclass(frozen=True, slots=True)
class GroupPreview:
    """One group under the new limits. None: it ran no decode in the last minute."""

    group: int
    running: int
    cap: int
    excess: int
    """Requests above the cap that ride along until they finish, or take turns."""
    mean_decode_batch_now: float | None
    mean_decode_batch_then: float | None
    decode_pad_ratio_now: float | None
    decode_pad_ratio_then: float | None


@dataclass(frozen=True, slots=True)
class Preview:
    """One engine under the new limits."""

    draining: int
    """Running requests above the new admission."""
    drain_seconds: float | None
    """Mean time for so many to finish; None: none finished in the last minute."""
    decode_pad_ratio_now: float | None = None
    decode_pad_ratio_then: float | None = None
    steps_in_smaller_bucket: int = 0
    decode_steps: int = 0
    groups: tuple[GroupPreview, ...] = ()


@dataclass
class _Sums:
    """Decode steps added up, as they ran and as they would."""

    steps: int = 0
    requests_now: int = 0
    requests_then: int = 0
    padded_requests_now: int = 0
    """Of the steps that have a bucket."""
    padded_requests_then: int = 0
    padded_now: int = 0
    padded_then: int = 0
    smaller: int = 0

    def add(self, other: _Sums) -> None:
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def preview(
    timeline: Timeline,
    then: LimitState,
    buckets: Sequence[int],
    *,
    running: int,
    members: Sequence[int],
    now_ns: int,
) -> Preview:
    """The preview of the limits ``then``, which are those that the probe would have accepted.

    Args:
        timeline: what the engine did.
        then: the new limits.
        buckets: compiled decode batch sizes, ascending; empty where decodes are not padded.
        running: running requests of the engine.
        members: running requests of each group.
        now_ns: CLOCK_MONOTONIC.
    """
    admission, caps = then.admission, then.cap_values
    share = even_share(caps, admission) if _spreads(then, buckets) else admission
    second = now_ns // NS - SECONDS
    every, groups = _Sums(), []
    for group in range(then.group_count):
        batches = timeline.groups[group].batches.since(second) if group < len(timeline.groups) else ()
        sums = _sums(batches, min(caps[group], share), buckets)
        every.add(sums)
        member = members[group] if group < len(members) else 0
        held = max(0, member - caps[group]) if then.targets.hold else then.excess[group]
        groups.append(
            GroupPreview(
                group=group,
                running=member,
                cap=caps[group],
                excess=held,
                mean_decode_batch_now=sums.requests_now / sums.steps if sums.steps else None,
                mean_decode_batch_then=sums.requests_then / sums.steps if sums.steps else None,
                decode_pad_ratio_now=pad_ratio(sums.padded_requests_now, sums.padded_now),
                decode_pad_ratio_then=pad_ratio(sums.padded_requests_then, sums.padded_then),
            )
        )
    draining = max(0, running - admission)
    return Preview(
        draining=draining,
        drain_seconds=drain_seconds(timeline, draining, now_ns),
        decode_pad_ratio_now=pad_ratio(every.padded_requests_now, every.padded_now),
        decode_pad_ratio_then=pad_ratio(every.padded_requests_then, every.padded_then),
        steps_in_smaller_bucket=every.smaller,
        decode_steps=every.steps,
        groups=tuple(groups),
    )


def drain_seconds(timeline: Timeline, requests: int, now_ns: int) -> float | None:
    """Mean time for so many requests to finish, by the last minute; None: none finished in it."""
    begin_ns = max(now_ns - SECONDS * NS, timeline.covered_from_ns)
    finished = timeline.cells.total(timeline.finished, begin_ns // CELL_NS, now_ns // CELL_NS + 1)
    return requests * (now_ns - begin_ns) / NS / finished if finished else None


def _spreads(limits: LimitState, buckets: Sequence[int]) -> bool:
    """Whether the engine gives each group an even share (vllm-rbln 0.12.0, DecodeBatchBudget.for_step).

    Such an engine has compiled no larger bucket than a group's share of what it was started with.
    """
    return bool(buckets) and buckets[-1] * limits.group_count <= limits.start


def _sums(batches: Iterable[tuple[int, int, int]], bound: int, buckets: Sequence[int]) -> _Sums:
    sums = _Sums()
    for requests, bucket, count in batches:
        fewer = min(requests, bound)
        sums.steps += count
        sums.requests_now += requests * count
        sums.requests_then += fewer * count
        if not bucket:
            continue
        # A step that stays as it is keeps its bucket, which other ranks may have had a say in.
        smaller = bucket if fewer == requests else min(bucket, _bucket(fewer, buckets))
        sums.padded_requests_now += requests * count
        sums.padded_requests_then += fewer * count
        sums.padded_now += bucket * count
        sums.padded_then += smaller * count
        sums.smaller += count * (smaller < bucket)
    return sums


def _bucket(requests: int, buckets: Sequence[int]) -> int:
    """The smallest compiled batch size that holds so many requests."""
    at = bisect_left(buckets, requests)
    return buckets[at] if at < len(buckets) else requests
