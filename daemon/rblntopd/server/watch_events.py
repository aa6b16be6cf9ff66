"""WatchEvents: which events are meant, and their messages."""

from __future__ import annotations

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from rblntop_api.v1 import event_pb2, telemetry_pb2
from rblntopd.engines.selector import matches
from rblntopd.events.event import Event, EventKind, Severity
from rblntopd.events.event_log import EventLog
from rblntopd.server.errors import invalid_field
from rblntopd.server.list_changes import can_be_told, change_message
from rblntopd.server.subscriber import Subscriber

EVENTS_PER_MESSAGE = 100

_KINDS: dict[EventKind, Any] = {
    kind: event_pb2.EventKind.Value(f"EVENT_KIND_{kind.name}") for kind in EventKind
}
_SEVERITIES: dict[Severity, Any] = {
    severity: event_pb2.EventSeverity.Value(f"EVENT_SEVERITY_{severity.name}") for severity in Severity
}


def check(request: telemetry_pb2.WatchEventsRequest) -> None:
    """Check the fields.

    Raises:
        RequestError: one is invalid.
    """
    if request.min_severity not in (0, *_SEVERITIES.values()):
        raise invalid_field("min_severity", request.min_severity, "a value of EventSeverity")
    if request.HasField("since") and not 0 <= request.since.ToNanoseconds() < 2**63:
        raise invalid_field("since", request.since.ToJsonString(), "a moment from 1970 to 2262")


async def watch_events(
    events: EventLog, request: telemetry_pb2.WatchEventsRequest, subscriber: Subscriber
) -> None:
    """Send what happened, then what happens. Who reads slowly is told how many it missed."""
    last_id = events.last_id
    if request.HasField("since"):
        found, missed = events.since(request.since.ToNanoseconds())
    elif request.HasField("after_id"):
        found, missed = events.after(request.after_id)
    else:
        found, missed = [], 0
    first = True
    while True:
        wanted = [event for event in found if _is_wanted(event, request)]
        while wanted or missed or first:
            batch, wanted = wanted[:EVENTS_PER_MESSAGE], wanted[EVENTS_PER_MESSAGE:]
            message = telemetry_pb2.WatchEventsResponse(events=map(event_message, batch), missed=missed)
            first, missed = False, 0
            await subscriber.write(message)
        if request.no_follow:
            return
        await events.wait(last_id)
        found, missed = events.after(last_id)
        last_id = max(last_id, events.last_id)


def _is_wanted(event: Event, request: telemetry_pb2.WatchEventsRequest) -> bool:
    if event.severity < request.min_severity:
        return False
    return not request.engine or bool(
        event.engine and matches(request.engine, event.engine, event.instance_id, event.model)
    )


def event_message(event: Event) -> event_pb2.Event:
    """An event."""
    moment = Timestamp()
    moment.FromNanoseconds(event.time_ns)
    change = event.change
    return event_pb2.Event(
        id=event.id,
        time=moment,
        kind=_KINDS[event.kind],
        severity=_SEVERITIES[event.severity],
        engine=event.engine,
        instance_id=event.instance_id,
        group=event.group,
        text=event.text,
        generation=event.generation,
        step=event.step,
        count=event.count,
        seconds=event.seconds,
        change=change_message(change) if change is not None and can_be_told(change) else None,
        daemon_version=event.daemon_version,
    )
