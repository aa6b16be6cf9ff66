"""What a probe answers when it says no, or does not answer, in the words of the API."""

from __future__ import annotations

from rblntop.cli.engine_door import Answer, ControlLinkError, EngineRing, Status
from rblntop.client.errors import RefusedError
from rblntop_api.v1 import limits_pb2

#: Code and reason, as the daemon gives them.
MEANING = {
    Status.INVALID: ("INVALID_ARGUMENT", "INVALID_FIELD"),
    Status.UNAVAILABLE: ("FAILED_PRECONDITION", "CONTROL_UNAVAILABLE"),
    Status.DENIED: ("PERMISSION_DENIED", "PROBE_DENIED"),
    Status.MALFORMED: ("FAILED_PRECONDITION", "PROBE_VERSION"),
    Status.CONFLICT: ("ABORTED", "GENERATION_MISMATCH"),
    Status.TRIAL_PENDING: ("FAILED_PRECONDITION", "TRIAL_PENDING"),
    Status.NO_TRIAL: ("FAILED_PRECONDITION", "NO_TRIAL"),
    Status.WRONG_ID: ("INVALID_ARGUMENT", "WRONG_ID"),
    Status.REFUSED: ("FAILED_PRECONDITION", "REFUSED"),
}


def refusal(engine: EngineRing, answer: Answer, limits: limits_pb2.Limits) -> RefusedError:
    """The engine answered, and said no."""
    code, reason = MEANING.get(answer.status, ("FAILED_PRECONDITION", "PROBE_VERSION"))  # type: ignore[call-overload]
    metadata = {"engine": engine.name, "generation": str(answer.generation)}
    if limits.HasField("trial"):
        metadata["change_id"] = limits.trial.change_id
    text = f"engine {engine.name} refused: {answer.text or 'it gave no reason'}"
    return RefusedError(text, code=code, reason=reason, metadata=metadata)


def silence(engine: EngineRing, error: ControlLinkError) -> RefusedError:
    """The engine did not answer."""
    if error.version:
        return RefusedError(
            f"engine {engine.name}: {error}", code="FAILED_PRECONDITION", reason="PROBE_VERSION"
        )
    if not engine.alive:
        return RefusedError(f"engine {engine.name} is gone", code="UNAVAILABLE", reason="ENGINE_GONE")
    hint = ": the change may still come, look at the generation" if error.timed_out else ""
    return RefusedError(
        f"engine {engine.name} does not answer: {error}{hint}", code="UNAVAILABLE", reason="ENGINE_SILENT"
    )


def invalid(field: str, value: object, allowed: str) -> RefusedError:
    """A value that is not allowed."""
    return RefusedError(
        f"{field}={value}: allowed is {allowed}",
        code="INVALID_ARGUMENT",
        reason="INVALID_FIELD",
        metadata={"field": field, "value": str(value), "allowed": allowed},
    )
