"""The flight recorder's file format: every offset and every field, for writer and reader alike.

A ring file is a fixed header, a JSON description, a few small blocks that are rewritten in place, and a
circle of fixed-size step records. The writer maps the file; readers use ``pread`` and never map it, because
a mapping of a foreign file that gets truncated kills the reader with SIGBUS.

Versioned as major.minor. A minor version only appends fields to a section, and readers take section sizes
from the header, so that an older reader can still read a newer minor.
"""

from __future__ import annotations

import enum
import struct
from typing import NamedTuple

MAGIC = b"RBLNRING"
MAJOR = 1
MINOR = 1

#: Groups whose figures a ring can hold. vLLM pipelines are far shallower.
MAX_GROUPS = 64
#: Batches in flight that the ring can show: the deepest batch queue (pp_size + 1) fits.
MAX_IN_FLIGHT = 80

WORD = 8
"""All words that are published on their own are 8 bytes long and aligned, and are written with one store."""


class Kind(enum.IntEnum):
    """What a batch is made of (design: prefill, decode, mixed, empty) and batches that never completed."""

    EMPTY = 0
    PREFILL = 1
    DECODE = 2
    MIXED = 3
    LOST = 4
    """A batch that was scheduled and whose output never came: a fault path cleared the batch queue."""


class AdmissionStop(enum.IntEnum):
    """Why no further waiting request was admitted in a step."""

    NONE = 0
    MAX_NUM_SEQS = 1
    GROUP_CAPS = 2
    KV = 3
    TOKENS = 4
    """The step's token budget (RBLN: the one prefill a step can run) was used up."""
    CLOSED = 5


class EmptyCause(enum.IntEnum):
    """Why a step was empty. The first that applies, in this order."""

    CLOSED = 0
    BLOCKED = 1
    """Requests wait, and KV space, a remote KV load or a grammar holds them."""
    DEMAND = 2
    """Fewer unfinished requests than slots."""
    LIMIT = 3
    """A limit set through rblntop holds requests back."""
    PREFILL = 4
    """Nothing is runnable because a prefill is in flight."""
    COLLAPSE = 5
    """Enough requests, packed into too few batches."""


class ProbeState(enum.IntEnum):
    """Life of the probe in its engine."""

    STARTING = 0
    LIVE = 1
    CLOSED = 2
    """The engine shut down in an orderly way."""
    FAULTED = 3
    """The probe switched itself off; ``fault`` in the header says why."""
    DETACHED = 4
    """An operator took the probe out; the engine lives on with its scheduler's own methods."""


NO_GROUP = -1
"""Group of a lone prefill and of an empty run."""

# --- header ---------------------------------------------------------------------------------------------

HEADER_SIZE = 4096
HEADER_FIXED = struct.Struct("<8sHHI 16s QQqQ QI4x QI4x QI4x QI4x QI4x QII QII QII4x")
"""magic, major, minor, header size; boot id; pid, process start (clock ticks), real time ns, monotonic ns;
then (offset, size) of: description, live, in-flight (entry size), sample, limits; records: offset, record
size, capacity; journal: offset, entry size, capacity; requests (0 in 1.0, which has none): offset, row size,
rows."""


class Header(NamedTuple):
    """The fixed part of the header, in file order."""

    magic: bytes
    major: int
    minor: int
    header_size: int
    boot_id: bytes
    pid: int
    start_ticks: int
    real_ns: int
    mono_ns: int
    description_offset: int
    description_size: int
    live_offset: int
    live_size: int
    in_flight_offset: int
    in_flight_entry_size: int
    sample_offset: int
    sample_size: int
    limits_offset: int
    limits_size: int
    records_offset: int
    record_size: int
    record_capacity: int
    journal_offset: int
    journal_entry_size: int
    journal_capacity: int
    requests_offset: int
    request_size: int
    request_capacity: int


DESCRIPTION_OFFSET = HEADER_SIZE
DESCRIPTION_SIZE = 16384
"""NUL-padded UTF-8 JSON."""

# --- live block: single words, each published on its own ------------------------------------------------

LIVE_OFFSET = DESCRIPTION_OFFSET + DESCRIPTION_SIZE
LIVE_SIZE = 1024


class Live(enum.IntEnum):
    """Word index in the live block."""

    STATE = 0
    """A :class:`ProbeState`."""
    HEAD = 1
    """Records published so far; record ``n`` (from 0) lies at slot ``n % capacity``."""
    STEP = 2
    """Number of the latest ``schedule()`` call, empty ones included; the first is 1."""
    SCHEDULE_NS = 3
    """CLOCK_MONOTONIC of the latest ``schedule()``: the heartbeat of the scheduler."""
    COMPLETE_NS = 4
    CONTROL_NS = 5
    """Heartbeat of the probe's control thread."""
    LOST_BATCHES = 6
    UNFINISHED = 7
    """Unfinished requests after the latest step."""
    RUNNING = 8
    WAITING = 9
    PROBE_NS = 10
    """Total time spent in the probe's own code on the engine thread."""
    PROBE_STEPS = 11
    IN_FLIGHT_SLOTS = 12
    """Entries of the in-flight table that are in use at most (the depth of the batch queue)."""
    FAULT_LENGTH = 13
    JOURNAL_HEAD = 14
    """Journal entries published so far; entry ``n`` (from 0) lies at slot ``n % capacity``."""


LIVE_WORDS = 32
FAULT_OFFSET = LIVE_OFFSET + LIVE_WORDS * WORD
FAULT_SIZE = 512

# --- in-flight table ------------------------------------------------------------------------------------

IN_FLIGHT_OFFSET = LIVE_OFFSET + LIVE_SIZE
IN_FLIGHT = struct.Struct("<QQIHHBbBx4x")
"""step (0: free; published last), scheduled ns, tokens, requests, padded, kind, group, row."""
IN_FLIGHT_SIZE = IN_FLIGHT.size
assert IN_FLIGHT_SIZE == 32


class InFlight(NamedTuple):
    """A batch that was scheduled and has not completed yet."""

    step: int
    scheduled_ns: int
    tokens: int
    requests: int
    padded: int
    kind: int
    group: int
    row: int


# --- sample block, under a sequence lock: odd while written ---------------------------------------------

SAMPLE_OFFSET = IN_FLIGHT_OFFSET + IN_FLIGHT_SIZE * MAX_IN_FLIGHT
SAMPLE = struct.Struct(f"<QQQIIIIIIIfIII{MAX_GROUPS}I")
"""sequence lock, monotonic ns, step; running, waiting, preempted waiting, remote KV waiting, held,
unassigned, longest sequence; KV usage (0..1); oldest wait ms, KV blocks in use, longest wait of a held
request in decode turns; running per group."""
SAMPLE_SIZE = (SAMPLE.size + WORD - 1) // WORD * WORD


class Sample(NamedTuple):
    """What costs more than O(1) a step, looked at ten times a second at most."""

    mono_ns: int
    step: int
    running: int
    waiting: int
    preempted: int
    remote_kv: int
    held: int
    unassigned: int
    longest: int
    kv_usage: float
    oldest_wait_ms: int
    kv_blocks_used: int
    held_turns: int
    group_running: tuple[int, ...]


# --- limits block, under a sequence lock ----------------------------------------------------------------

LIMITS_OFFSET = (SAMPLE_OFFSET + SAMPLE_SIZE + 63) // 64 * 64
ID_SIZE = 32
"""Bytes of a change's id."""
CALLER_SIZE = 64
REASON_SIZE = 128

LIMITS = struct.Struct(
    f"<QQQQQQIIIIIIIIQQQQI4x{ID_SIZE}s{MAX_GROUPS}H{MAX_GROUPS}H{MAX_GROUPS}H{MAX_GROUPS}H"
)
"""sequence lock; generation, accepted ns, accepted at step, in force at step (0: not yet), settled at step
(0: not yet); max_num_seqs ceiling, target (0: unset), effective; admission; group count; cap ceiling; floor
of max_num_seqs; flags; a pending trial's generation (0: none), ttl ms, deadline ns (0: not settled yet);
admission closed until ns (0: until it is opened); what the trial reverts to: max_num_seqs (0: unset); the
trial's id; group cap targets (0: unset), effective caps (0: unset), excess, caps the trial reverts to."""
LIMITS_SIZE = (LIMITS.size + WORD - 1) // WORD * WORD


class LimitFlags(enum.IntFlag):
    """Flags of the limits block and of the journal."""

    NONE = 0
    HOLD = 1
    """Group caps are enforced at once, and the excess is held in turns."""
    CLOSED = 2
    """Admission is closed through rblntop."""
    PAUSED = 4
    """Somebody else paused the scheduler (vLLM's own /pause)."""
    REVERT_HOLD = 8
    """The trial reverts to caps with HOLD."""


class Limits(NamedTuple):
    """Limits as the probe enforces them now."""

    generation: int
    accepted_ns: int
    accepted_step: int
    in_force_step: int
    settled_step: int
    max_num_seqs_ceiling: int
    max_num_seqs_target: int
    max_num_seqs_effective: int
    admission: int
    group_count: int
    cap_ceiling: int
    max_num_seqs_floor: int
    flags: int
    trial_generation: int
    trial_ttl_ms: int
    trial_deadline_ns: int
    closed_until_ns: int
    revert_max_num_seqs: int
    trial_id: bytes
    cap_targets: tuple[int, ...]
    cap_effective: tuple[int, ...]
    cap_excess: tuple[int, ...]
    revert_caps: tuple[int, ...]


# --- journal of changes: every one that was accepted, also those the probe made by itself ---------------

JOURNAL_OFFSET = (LIMITS_OFFSET + LIMITS_SIZE + 63) // 64 * 64
JOURNAL = struct.Struct(f"<QQQQQQIIBBB5x{ID_SIZE}s{CALLER_SIZE}s{REASON_SIZE}s{MAX_GROUPS}H{MAX_GROUPS}H")
"""sequence (0: being written, else the entry's number from 1; published last); real ns, monotonic ns, step,
generation after it, ttl ms; old and new max_num_seqs (0: unset); action, old and new flags; id, caller,
reason; old and new group caps (0: unset)."""
JOURNAL_ENTRY_SIZE = (JOURNAL.size + 63) // 64 * 64
JOURNAL_CAPACITY = 512


class Action(enum.IntEnum):
    """What a journal entry tells of."""

    START = 1
    """Limits that the engine was started with, through rblntop."""
    SET = 2
    TRY = 3
    """A trial began."""
    CONFIRM = 4
    CANCEL = 5
    REVERT = 6
    """A trial's time ran out."""
    EXTEND = 7
    RESET = 8
    DETACH = 9
    CLOSE = 10
    OPEN = 11
    REOPEN = 12
    """The time of a closed admission ran out."""
    FAULT = 13
    """The probe switched itself off; the engine has its own limits back."""


class JournalEntry(NamedTuple):
    """One accepted change."""

    real_ns: int
    mono_ns: int
    step: int
    """The latest step when it was accepted: it is in force from the next one."""
    generation: int
    ttl_ms: int
    old_max_num_seqs: int
    new_max_num_seqs: int
    action: int
    old_flags: int
    new_flags: int
    change_id: bytes
    caller: bytes
    reason: bytes
    old_caps: tuple[int, ...]
    new_caps: tuple[int, ...]


# --- table of unfinished requests, under a sequence lock: written only when somebody asks -------------------

REQUESTS_OFFSET = JOURNAL_OFFSET + JOURNAL_ENTRY_SIZE * JOURNAL_CAPACITY
REQUESTS = struct.Struct("<QQQQII")
"""sequence lock; monotonic ns, real ns, step; unfinished requests, rows."""
REQUEST_ID_SIZE = 64
REQUEST = struct.Struct(f"<{REQUEST_ID_SIZE}sIIIIIHBb")
"""A row: id (cut, NUL padded); prompt, output and computed tokens; age ms, wait ms (``UNKNOWN_MS``: not
known); preemptions, state, group (``NO_GROUP``: it has not run)."""
assert REQUEST.size % WORD == 0
MAX_REQUESTS = 1000
UNKNOWN_MS = 0xFFFFFFFF


class RequestState(enum.IntEnum):
    """Where an unfinished request is."""

    OTHER = 0
    WAITING = 1
    RUNNING = 2
    PREEMPTED = 3
    HELD = 4
    """Running, and held back by a group cap in the latest turn."""
    REMOTE_KV = 5
    """Waiting until its remote KV is loaded."""


class RequestRow(NamedTuple):
    """One unfinished request."""

    request_id: bytes
    prompt_tokens: int
    output_tokens: int
    computed_tokens: int
    age_ms: int
    wait_ms: int
    preemptions: int
    state: int
    group: int


RECORDS_OFFSET = (REQUESTS_OFFSET + REQUESTS.size + REQUEST.size * MAX_REQUESTS + 4095) // 4096 * 4096

# --- records --------------------------------------------------------------------------------------------

STEP = struct.Struct("<QQQ IIIIII HHHHHHHH IHHf BbBBB3x")
"""A record without its sequence word, as far as a real step uses it: step, scheduled ns, completed ns;
schedule() ns, generation, tokens, waiting, longest sequence, queue wait us; requests, prefill requests,
padded, running, held, ready, preempted, finished; unfinished after, new requests, run length, KV usage; kind,
group, row, admission stop, batches in flight."""
CAUSES = struct.Struct("<6H6I")
"""Only in an empty run: how many steps had each cause, and the slot time in us it took."""
RECORD_SIZE = 128
CAUSES_AT = WORD + STEP.size
assert CAUSES_AT + CAUSES.size <= RECORD_SIZE, CAUSES_AT + CAUSES.size

#: 10 minutes at 100 steps/s and two records a step, within 16 MB.
DEFAULT_CAPACITY = 120_000
MAX_FILE_BYTES = 16 * 1024 * 1024
assert RECORDS_OFFSET + DEFAULT_CAPACITY * RECORD_SIZE <= MAX_FILE_BYTES


class Step(NamedTuple):
    """One completed step, or a run of consecutive empty steps.

    Times are CLOCK_MONOTONIC in ns. An empty run spans from the schedule of its first step to the completion
    of its last; ``run_length`` says how many it holds, ``cause_counts`` and ``cause_slot_us`` why.
    """

    step: int
    scheduled_ns: int
    completed_ns: int
    schedule_ns: int
    generation: int
    tokens: int
    waiting: int
    max_seq_len: int
    queue_wait_us: int
    requests: int
    prefill_requests: int
    padded: int
    running: int
    held: int
    ready: int
    preempted: int
    finished: int
    unfinished: int
    new_requests: int
    run_length: int
    kv_usage: float
    kind: int
    group: int
    row: int
    admission_stop: int
    in_flight: int


def file_size(capacity: int) -> int:
    """Bytes of a ring file for ``capacity`` records."""
    return RECORDS_OFFSET + capacity * RECORD_SIZE
