"""What an operator can do next after a refusal, as commands."""

from __future__ import annotations

import re

from rblntop.client.errors import NOT_ALLOWED, RefusedError, UnreachableError

_OPTIONS = {"wait_timeout": "--timeout", "ttl": "--ttl"}


def next_step(error: Exception) -> str:
    """A line to print below the error; empty: the error says it all."""
    if not isinstance(error, RefusedError):
        return ""
    pending = error.metadata.get("change_id", "")
    if error.reason == "TRIAL_PENDING":
        named = re.search(r"change (\S+) is on trial", error.message)
        name = pending or (named[1] if named else "ID")
        where = "   (rblnctl show names the ID)" if name == "ID" else ""
        return f"Keep it: rblnctl confirm {name}   Undo it: rblnctl cancel {name}{where}"
    if error.reason == "WRONG_ID":
        return f"On trial is: {pending}" if pending else "rblnctl show names the change on trial."
    if error.reason == "NO_TRIAL":
        return "rblnctl changes tells how it ended."
    if error.code == "ABORTED":
        return "Somebody else was faster: look at rblnctl changes and rblnctl show, then decide anew."
    if error.reason == "AUDIT_LOG_UNWRITABLE":
        return "What makes an engine safer still works: rblnctl cancel, reset, admission open."
    if error.reason == "ENGINE_SILENT":
        return "rblnctl show tells what it does; rblnctl changes, whether the change was made after all."
    return ""


def as_typed(message: str) -> str:
    """The daemon names the field of the request; who typed options knows those, and the limit."""
    message = re.sub(r"^(wait_timeout|ttl)=", lambda found: f"{_OPTIONS[found[1]]} cannot be ", message)
    return re.sub(r"^changes\[\d+\]\.(?:value \(([^)]*)\)|(\w+))=", r"\1\2 cannot be ", message)


def without_daemon(error: UnreachableError, *, direct: bool, changing: bool) -> str:
    """What to know when no daemon answers, to a command that can go ``direct`` or was ``changing``."""
    if changing and error.timed_out:
        return "The change may have been made all the same: rblnctl show and rblnctl changes tell."
    if not direct or error.hint == NOT_ALLOWED:
        return ""
    return "Without a daemon, as root or the engine's user: the same command with --direct."
