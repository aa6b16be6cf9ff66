"""What a screen can ask of engines: the orders, the answers, and who carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rblntop.client.errors import RefusedError
from rblntop.model import EngineChange, LimitValue, LoggedChange


@dataclass(frozen=True, slots=True)
class LimitOrder:
    """A change of limits, on all of the engines or on none."""

    engines: tuple[str, ...]
    """Instance ids: the processes that the operator saw, or none."""
    values: tuple[LimitValue, ...]
    """``new`` is what is asked for; None takes the limit away."""
    ttl_s: float | None = None
    """A trial of this length; None: kept at once."""
    expected_generation: int | None = None
    """Refused if the limits have moved on from here."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AdmissionOrder:
    """Close the admission of an engine, for a time or until somebody opens it; or open it."""

    engine: str
    closes: bool
    ttl_s: float | None = None
    expected_generation: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResetOrder:
    """Put all limits of an engine back to what it was started with."""

    engine: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TrialOrder:
    """Keep, undo or extend the change on trial, on every engine where it is."""

    engine: str
    """One of them."""
    change_id: str
    keep: bool = False
    extend_s: float | None = None
    """Go on trying, for so long from now."""


Order = LimitOrder | AdmissionOrder | ResetOrder | TrialOrder


@dataclass(frozen=True, slots=True)
class ChangeAnswer:
    """What came of an order, or would."""

    engines: tuple[EngineChange, ...] = ()
    change_id: str = ""
    """Of a trial."""


class ChangeDesk(Protocol):
    """Takes orders. All methods raise ``ClientError``."""

    async def carry_out(self, order: Order) -> ChangeAnswer:
        """Do it; how it comes into force is seen in the snapshots."""

    async def preview(self, order: LimitOrder) -> ChangeAnswer:
        """The same verdict, with what would happen; changes nothing."""

    async def changes(self, limit: int) -> tuple[LoggedChange, ...]:
        """The audit log of all engines, newest first."""


class NoChanges:
    """The desk of a source that changes nothing."""

    NO_CHANGE = "this source takes no changes"

    async def carry_out(self, order: Order) -> ChangeAnswer:
        """Refused."""
        raise RefusedError(self.NO_CHANGE)

    async def preview(self, order: LimitOrder) -> ChangeAnswer:
        """Refused."""
        raise RefusedError(self.NO_CHANGE)

    async def changes(self, limit: int) -> tuple[LoggedChange, ...]:
        """There is no log."""
        return ()
