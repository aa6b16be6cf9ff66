"""What tests say to a daemon's Control service."""

from __future__ import annotations

import json
import socket

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from rblntop_api.v1 import control_pb2, limits_pb2

DONE, REFUSED, UNKNOWN = (
    control_pb2.CHANGE_RESULT_DONE,
    control_pb2.CHANGE_RESULT_REFUSED,
    control_pb2.CHANGE_RESULT_UNKNOWN,
)


def max_num_seqs(value=None, **fields):
    return control_pb2.LimitChange(kind=limits_pb2.LIMIT_KIND_MAX_NUM_SEQS, value=value, **fields)


def cap(group, value=None, **fields):
    return control_pb2.LimitChange(kind=limits_pb2.LIMIT_KIND_GROUP_CAP, group=group, value=value, **fields)


def duration(seconds):
    return Duration(seconds=int(seconds), nanos=round(seconds % 1 * 1e9))


def set_request(*changes, ttl=None, **fields):
    if ttl is not None:
        fields["ttl"] = duration(ttl)
    return control_pb2.SetLimitsRequest(changes=changes, **fields)


def set_limits(daemon, *changes, **fields):
    return daemon.control.SetLimits(set_request(*changes, **fields))


def confirm(daemon, change_id, **fields):
    return daemon.control.ConfirmChange(control_pb2.ConfirmChangeRequest(change_id=change_id, **fields))


def cancel(daemon, change_id, **fields):
    return daemon.control.CancelChange(control_pb2.CancelChangeRequest(change_id=change_id, **fields))


def reset(daemon, **fields):
    return daemon.control.ResetLimits(control_pb2.ResetLimitsRequest(**fields))


def close(daemon, ttl=None, **fields):
    if ttl is not None:
        fields["ttl"] = duration(ttl)
    return daemon.control.CloseAdmission(control_pb2.CloseAdmissionRequest(**fields))


def open_again(daemon, **fields):
    return daemon.control.OpenAdmission(control_pb2.OpenAdmissionRequest(**fields))


def changes(daemon, **fields):
    return list(daemon.control.ListChanges(control_pb2.ListChangesRequest(**fields)).changes)


def told(daemon, **fields):
    """Action and result of every change in the audit log, oldest first."""
    return [
        (action(change), control_pb2.ChangeResult.Name(change.result).removeprefix("CHANGE_RESULT_"))
        for change in reversed(changes(daemon, **fields))
    ]


def action(change):
    return control_pb2.ChangeAction.Name(change.action).removeprefix("CHANGE_ACTION_")


def refusal(call, *given, **fields):
    """Code, text and ErrorInfo of a call that must fail."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*given, **fields)
    info = error_details_pb2.ErrorInfo()
    rpc_status.from_call(caught.value).details[0].Unpack(info)
    return caught.value.code(), caught.value.details(), info


def ask_identity(path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        return json.loads(connection.makefile().readline())
