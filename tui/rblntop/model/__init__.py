"""What the dashboard knows about engines: frozen values, with None for what is not known."""

from rblntop.model.engine import Engine, EngineState
from rblntop.model.limits import AdmissionState, Limit, LimitKind, LimitMode, Limits, Trial
from rblntop.model.snapshot import Group, InFlightBatch, Snapshot, StripCell
from rblntop.model.step import AdmissionStop, EmptyCause, Step, StepKind
from rblntop.model.window import EmptyShare, GroupWindow, Window

__all__ = [
    "AdmissionState",
    "AdmissionStop",
    "EmptyCause",
    "EmptyShare",
    "Engine",
    "EngineState",
    "Group",
    "GroupWindow",
    "InFlightBatch",
    "Limit",
    "LimitKind",
    "LimitMode",
    "Limits",
    "Snapshot",
    "Step",
    "StepKind",
    "StripCell",
    "Trial",
    "Window",
]
