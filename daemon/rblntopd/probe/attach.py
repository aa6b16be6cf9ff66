"""Makes the probe of a scheduler that was just constructed, with its ring and control socket."""

from __future__ import annotations

import itertools
from typing import Any

from rblntopd.probe import ending, quiet_thread
from rblntopd.probe.admission import Admission, core_under_construction
from rblntopd.probe.description import describe
from rblntopd.probe.enforcement import limits_of
from rblntopd.probe.engine_files import create_ring, create_server, prune_dead_rings
from rblntopd.probe.plugin import logger
from rblntopd.probe.probe import Probe
from rblntopd.probe.runtime_dir import make_engines_dir, runtime_dir
from rblntopd.probe.start_limits import start_limits

_numbers = itertools.count()


def attach(scheduler: Any, mode: str) -> Probe:
    """Make the probe of ``scheduler``, for ``mode`` ``observe`` or ``control``.

    Raises:
        OSError: there is no place for the ring.
        AttributeError: the scheduler is not like any that we know.
    """
    for name in ("finished_req_ids", "waiting", "running", "requests", "_pause_state"):
        getattr(scheduler, name)
    facts = describe(scheduler, next(_numbers))
    description = facts.description
    directory = make_engines_dir(runtime_dir())
    prune_dead_rings(directory, description["name"])
    limits = limits_of(scheduler, facts, observe_only=mode == "observe")
    admission = Admission(scheduler, core_under_construction(), observe_only=mode == "observe")
    path = directory / f"{description['instance_id']}.ring"
    server = ring = None
    try:
        if mode != "observe":
            server, why = create_server(path.with_suffix(".sock"))
            limits.max_num_seqs_reason = limits.max_num_seqs_reason or why
            limits.group_cap_reason = limits.group_cap_reason or why
            admission.reason = admission.reason or why
        description["control_socket"] = server.path.name if server else None
        description["controls"] = {
            "max_num_seqs": _control(limits.max_num_seqs_reason),
            "group_cap": _control(limits.group_cap_reason),
            "admission": _control(admission.reason),
        }
        started_with, ignored = start_limits(limits)
        if ignored:
            description["notice"] = "; ".join(filter(None, (description["notice"], ignored)))
            logger.warning("rblntop: %s", ignored)
        ring = create_ring(path, description, facts.queue_depth)
        probe = Probe(scheduler, facts, limits, admission, ring, server)
        if started_with is not None:
            probe.changes.start_with(started_with, step=0)
            probe.show_change()
        probe.show()
    except Exception:
        # Nothing may be left that looks like an engine with a probe.
        if server is not None:
            server.close()
        if ring is not None:
            ring.close()
        raise
    ending.remember(probe)
    quiet_thread.start(probe)
    logger.info("rblntop: recording %s into %s", description["name"], path)
    return probe


def _control(reason: str) -> dict[str, Any]:
    return {"available": not reason, "reason": reason}
