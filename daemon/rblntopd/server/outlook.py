"""What a change would do to an engine, as far as it can be told before."""

from __future__ import annotations

import time
from collections.abc import Callable

from rblntopd.engines.engine import Engine
from rblntopd.engines.prediction import Moment, Prediction, moment_of
from rblntopd.metrics.preview import Preview, drain_seconds, preview
from rblntopd.server.engine_change import Outlook


def limits_outlook(engine: Engine, predict: Callable[[Moment], Prediction]) -> Outlook:
    """New limits.

    Raises:
        LimitError: the probe would refuse them.
        RingFileError: the ring cannot be read any more.
    """
    moment = moment_of(engine)
    if moment is None:
        return Outlook()
    prediction = predict(moment)
    found = preview(
        engine.timeline,
        prediction.state,
        engine.description.decode_buckets,
        running=moment.running,
        members=moment.members,
        now_ns=time.monotonic_ns(),
    )
    return Outlook(prediction, found)


def closing_outlook(engine: Engine, predict: Callable[[Moment], Prediction]) -> Outlook:
    """A closed admission: everything that runs drains, under the limits as they are."""
    moment = moment_of(engine)
    if moment is None:
        return Outlook()
    drain = drain_seconds(engine.timeline, moment.running, time.monotonic_ns())
    return Outlook(predict(moment), Preview(moment.running, drain))
