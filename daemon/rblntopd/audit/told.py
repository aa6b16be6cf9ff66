"""The audit log's news for the daemon's own log: whoever reads that need not know of the other."""

from __future__ import annotations

import logging

from rblntopd.audit.log_file import Line

logger = logging.getLogger(__name__)

_LEVELS = {"done": logging.INFO, "refused": logging.WARNING, "unknown": logging.WARNING}


def tell(line: Line) -> None:
    """Log what became of a change. Other lines of the audit log are steps on the way to that."""
    level = _LEVELS.get(str(line.get("line")))
    if level is None or line.get("action") == "START":
        return
    caller = line["caller"]["name"]
    fields = {name: line[name] for name in ("engine", "instance", "action", "change_id") if name in line}
    moved = ", ".join(map(_moved, line.get("values", ())))
    rest = "".join(f": {text}" for text in (moved, line.get("detail"), line.get("reason")) if text)
    logger.log(
        level,
        "engine %s: %s %s, by %s%s",
        line.get("engine", "?"), line.get("action", "?"), line["line"], caller, rest,
        extra={"fields": fields | {"caller": caller, "result": line["line"]}},
    )  # fmt: skip


def _moved(value: Line) -> str:
    group = f"[{value['group']}]" if "group" in value else ""
    old, new = (value.get(name, "unset") for name in ("old", "new"))
    return f"{value['kind']}{group} {old} -> {new}"
