"""Sets the limits again that an engine lost with its restart, where the operator has chosen that."""

from __future__ import annotations

import logging

from rblntopd.audit.caller import DAEMON
from rblntopd.audit.lines import REAPPLY
from rblntopd.audit.restarts import KeptLimits
from rblntopd.engines.control_link import set_limits_request
from rblntopd.engines.engine import Engine
from rblntopd.engines.ring_file import RingFileError
from rblntopd.probe.limits import LimitChange
from rblntopd.probe.ring_format import Action
from rblntopd.server.control_desk import ControlDesk
from rblntopd.server.errors import RequestError
from rblntopd.server.limit_request import asked_values
from rblntopd.server.orders import Order, asked_at

logger = logging.getLogger(__name__)


async def reapply(desk: ControlDesk, engine: Engine, kept: KeptLimits) -> None:
    """Set the kept limits, unless somebody was faster. What goes wrong is logged: nobody waits for it."""
    try:
        await _reapply(desk, engine, kept)
    except (RequestError, RingFileError) as error:
        logger.error("the limits of engine %s could not be set again: %s", engine.name, error)


async def _reapply(desk: ControlDesk, engine: Engine, kept: KeptLimits) -> None:
    limits = engine.limits()
    _, entries = engine.reader.journal(0)
    if limits is None or not kept.any_set or any(entry.action != Action.START for entry in entries):
        logger.info("the limits of engine %s are not set again", engine.name)
        return
    caps = {group: cap for group, cap in enumerate(kept.caps) if cap is not None}
    change = LimitChange(kept.max_num_seqs, caps, True if kept.hold and caps else None)
    request = set_limits_request(change, caller=DAEMON.name, reason="as before the restart")
    request = asked_at(request, limits.generation)
    mode = "HOLD" if change.hold else "DRAIN" if caps else ""
    order = Order(engine, REAPPLY, request, DAEMON, tuple(asked_values(change, limits)), mode)
    (noted,) = await desk.orders.note([order])
    await desk.to_the_end(desk.orders.carry_out(noted))
    logger.info("engine %s has the limits again that it had before its restart: %s", engine.name, kept)
