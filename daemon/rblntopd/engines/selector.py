"""Which engines a name in a request means."""

from __future__ import annotations

from fnmatch import fnmatchcase

MODEL = "model:"


def is_several(selector: str) -> bool:
    """Whether ``selector`` may mean more than one engine."""
    return selector.startswith(MODEL) or any(c in selector for c in "*?[,")


def listed(selector: str) -> list[str]:
    """The parts of a list (``a/0,b/0``); one part if it is none."""
    return [part.strip() for part in selector.split(",")]


def matches(selector: str, name: str, instance_id: str, model: str) -> bool:
    """Whether an engine is meant: by name, instance id, glob over names, model, or a list of these.

    A name is taken as it stands before it is taken as a glob or a list. An empty selector means every engine.
    """
    if not selector or selector in (name, instance_id):
        return True
    if "," in selector:
        return any(part and matches(part, name, instance_id, model) for part in listed(selector))
    if selector.startswith(MODEL):
        return selector.removeprefix(MODEL) == model
    return is_several(selector) and fnmatchcase(name, selector)
