"""What the dashboard knows about engines: frozen values, with None for what is not known."""

from rblntop.model.engine import Engine, EngineState
from rblntop.model.limits import Limit, LimitKind, Limits
from rblntop.model.snapshot import Group, InFlightBatch, Snapshot, StripCell
from rblntop.model.step import AdmissionStop, EmptyCause, Step, StepKind
from rblntop.model.window import EmptyShare, GroupWindow, Window

__all__ = [
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
    "Limits",
    "Snapshot",
    "Step",
    "StepKind",
    "StripCell",
    "Window",
]
