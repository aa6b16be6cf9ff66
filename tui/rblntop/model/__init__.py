"""What the dashboard knows about engines: frozen values, with None for what is not known."""

from rblntop.model.change import (
    ChangeAction,
    ChangePhase,
    ChangeResult,
    EngineChange,
    GroupPreview,
    LimitValue,
    LoggedChange,
    Preview,
)
from rblntop.model.engine import Engine, EngineState
from rblntop.model.event import Event, EventKind, EventSeverity
from rblntop.model.history import History, HistoryColumn, HistoryRestart, HistorySeries
from rblntop.model.host import HostUsage, ProcessRole, ProcessUsage
from rblntop.model.limits import AdmissionState, Limit, LimitKind, LimitMode, Limits, Trial
from rblntop.model.request import EngineRequest, RequestState, RequestTable
from rblntop.model.snapshot import Group, InFlightBatch, Snapshot, StripCell
from rblntop.model.step import AdmissionStop, EmptyCause, Step, StepKind
from rblntop.model.window import EmptyShare, GroupWindow, Window

__all__ = [
    "AdmissionState",
    "AdmissionStop",
    "ChangeAction",
    "ChangePhase",
    "ChangeResult",
    "EmptyCause",
    "EmptyShare",
    "Engine",
    "EngineChange",
    "EngineRequest",
    "EngineState",
    "Event",
    "EventKind",
    "EventSeverity",
    "Group",
    "GroupPreview",
    "GroupWindow",
    "History",
    "HistoryColumn",
    "HistoryRestart",
    "HistorySeries",
    "HostUsage",
    "InFlightBatch",
    "Limit",
    "LimitKind",
    "LimitMode",
    "LimitValue",
    "Limits",
    "LoggedChange",
    "Preview",
    "ProcessRole",
    "ProcessUsage",
    "RequestState",
    "RequestTable",
    "Snapshot",
    "Step",
    "StepKind",
    "StripCell",
    "Trial",
    "Window",
]
