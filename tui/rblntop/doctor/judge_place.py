"""Judges the runtime directory, where engines and the daemon meet."""

from __future__ import annotations

import shlex
import stat

from rblntop.doctor.facts import Facts, Room
from rblntop.doctor.finding import Finding, note, ok, problem


def judge_place(facts: Facts) -> list[Finding]:
    """Which one it is and why, whose, and whether a ring could lie there."""
    place = facts.place
    path = shlex.quote(str(place.path))
    what = f"{place.path} ({place.chosen_by})"
    if place.error:
        return [problem("runtime", f"{what} cannot be looked at: {place.error}", f"ls -ld {path}")]
    if not place.exists:
        if not place.can_write:
            text = f"{what} is not there, and {facts.user} may not make it"
            return [problem("runtime", text, f"sudo install -d -m 700 -o {shlex.quote(facts.user)} {path}")]
        text = f"{what} is not there yet: the first engine or daemon makes it"
        return [note("runtime", text), *_room(place.room)]
    if not place.is_directory:
        return [problem("runtime", f"{what} is not a directory", f"mv {path} {path}.old")]
    unsafe = _unsafe(facts, what, path)
    if unsafe:
        return unsafe
    rights = [] if place.can_list else [_hidden(facts, what)]
    text = (
        f"{what}: of {place.owner}, mode {place.mode:o}, {'can' if place.can_write else 'cannot'} be written"
    )
    return [ok("runtime", text), *rights, *_room(place.room)]


def _unsafe(facts: Facts, what: str, path: str) -> list[Finding]:
    """What keeps the probe from using it: a directory in which somebody else could put files."""
    place = facts.place
    if place.uid not in (0, facts.uid) and facts.uid != 0:
        text = f"{what} belongs to {place.owner}: engines and daemons of {facts.user} do not use it"
        return [problem("runtime", text, "unset RBLNTOP_RUNTIME_DIR   # or call this as that user")]
    if place.mode & 0o022 and not place.mode & stat.S_ISVTX:
        text = f"{what} can be written by others (mode {place.mode:o}): the probe does not use it"
        return [problem("runtime", text, f"chmod go-w {path}")]
    return []


def _hidden(facts: Facts, what: str) -> Finding:
    """The service's is for engines and the daemon: whoever asks the daemon needs no rights there."""
    text = f"{what}: {facts.user} may not look at the rings there; the daemon does"
    if not facts.daemon.error:
        return note("runtime", text)
    return problem("runtime", f"{text}, and none answers", "sudo rblnctl doctor")


def _room(room: Room | None) -> list[Finding]:
    if room is None:
        return []
    if room.place is None:
        text = "neither it nor /dev/shm is on a tmpfs: an engine runs without the probe"
        return [problem("runtime", text, "sudo mount -t tmpfs -o mode=1777 tmpfs /dev/shm")]
    found = []
    if not room.on_tmpfs:
        text = f"it is on a disk, so that rings go to {room.place}"
        found.append(note("runtime", text))
    if room.free_bytes < room.needed_bytes:
        text = f"{room.place} has {room.free_bytes >> 20} MB free, an engine that starts needs "
        text += f"{room.needed_bytes >> 20} MB to be watched"
        found.append(problem("runtime", text, f"du -sh {shlex.quote(str(room.place))}/*"))
    return found
