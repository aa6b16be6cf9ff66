"""ListChanges: the audit log as protobuf messages."""

from __future__ import annotations

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from rblntop_api.v1 import control_pb2, limits_pb2
from rblntopd.audit.lines import time_text
from rblntopd.audit.log import AuditLog
from rblntopd.audit.log_file import AuditLogError, Line
from rblntopd.engines.limits import LimitKind
from rblntopd.engines.selector import matches
from rblntopd.server.errors import Reason, RequestError, invalid_field
from rblntopd.server.limits_message import LIMIT_KINDS

DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000

_RESULTS = {
    "done": control_pb2.CHANGE_RESULT_DONE,
    "restart": control_pb2.CHANGE_RESULT_DONE,
    "refused": control_pb2.CHANGE_RESULT_REFUSED,
    "unknown": control_pb2.CHANGE_RESULT_UNKNOWN,
    "gap": control_pb2.CHANGE_RESULT_UNKNOWN,
}
_MODES = {"DRAIN": limits_pb2.LIMIT_MODE_DRAIN, "HOLD": limits_pb2.LIMIT_MODE_HOLD}


async def list_changes(
    audit: AuditLog, request: control_pb2.ListChangesRequest
) -> control_pb2.ListChangesResponse:
    """The latest changes, newest first.

    Raises:
        RequestError: a field is invalid, or the log cannot be read.
    """
    if request.limit > MAX_LIMIT:
        raise invalid_field("limit", request.limit, f"0..{MAX_LIMIT}")

    def wanted(line: Line) -> bool:
        names = (str(line.get(key, "")) for key in ("engine", "instance", "model"))
        return matches(request.engine, *names) and can_be_told(line)

    since = time_text(max(0, request.since.ToNanoseconds())) if request.HasField("since") else ""
    try:
        found = await audit.changes(wanted, request.limit or DEFAULT_LIMIT, since)
    except OSError as error:
        text = str(error) if isinstance(error, AuditLogError) else f"the audit log cannot be read: {error}"
        raise RequestError(Reason.AUDIT_LOG_UNREADABLE, text) from error
    return control_pb2.ListChangesResponse(changes=map(change_message, found))


def can_be_told(line: Line) -> bool:
    """Whether it is a line as a daemon writes it: one that is damaged must not hide all others."""
    try:
        change_message(line if line["line"] in _RESULTS else line | {"line": "unknown"})
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    return True


def change_message(line: Line) -> control_pb2.Change:
    """A line that :func:`can_be_told`, as a message."""
    caller = line.get("caller", {})
    message = control_pb2.Change(
        engine=line.get("engine", ""),
        instance_id=line.get("instance", ""),
        action=_action(line.get("action", "")),
        result=_RESULTS[line["line"]],
        caller=control_pb2.Caller(
            name=caller.get("name", ""), uid=caller.get("uid"), verified=caller.get("verified", False)
        ),
        reason=line.get("reason", ""),
        change_id=line.get("change_id", ""),
        generation=line.get("generation", 0),
        step=line.get("step", 0),
        values=[_value_message(value) for value in line.get("values", ())],
        mode=_MODES.get(line.get("mode", ""), limits_pb2.LIMIT_MODE_UNSPECIFIED),
        detail=line.get("detail", ""),
        time=_timestamp(line["time"]),
    )
    if line.get("ttl_ms"):
        message.ttl.FromMilliseconds(line["ttl_ms"])
    return message


def _value_message(value: Line) -> control_pb2.LimitValue:
    return control_pb2.LimitValue(
        kind=LIMIT_KINDS[LimitKind(value["kind"])],
        group=value.get("group"),
        old_value=value.get("old"),
        new_value=value.get("new"),
    )


def _action(name: str) -> Any:
    """The action of that name; one that this side does not know is unspecified."""
    found = control_pb2.ChangeAction.DESCRIPTOR.values_by_name.get(f"CHANGE_ACTION_{name}")
    return found.number if found is not None else control_pb2.CHANGE_ACTION_UNSPECIFIED


def _timestamp(text: str) -> Timestamp:
    moment = Timestamp()
    moment.FromJsonString(text)
    return moment
