"""Looks at a runtime directory: which one, why that one, and what we may do there."""

from __future__ import annotations

import os
import pwd
import stat
from collections.abc import Mapping
from pathlib import Path

from rblntop.cli.engine_door import ENGINES, SERVICE_DIR, SHARED_MEMORY, is_tmpfs, ring, runtime_dir
from rblntop.doctor.facts import Place, Room

NEEDED_BYTES = 2 * ring.file_size(ring.DEFAULT_CAPACITY)
"""The probe makes a ring only where twice its size is free (rblntopd.probe.engine_files)."""


def look_at_place(environment: Mapping[str, str]) -> Place:
    """The runtime directory that we use with ``environment``."""
    path = runtime_dir(dict(environment))
    chosen_by = _rule(path, environment)
    try:
        found = os.stat(path)
        inside = path / ENGINES
        looked_at = inside if inside.is_dir() else path
        can_list = os.access(looked_at, os.R_OK | os.X_OK)
        can_write = os.access(looked_at, os.W_OK | os.X_OK)
    except FileNotFoundError:
        above = next(parent for parent in path.absolute().parents if parent.exists())
        can_write = os.access(above, os.W_OK | os.X_OK)
        return Place(path, chosen_by, can_write=can_write, room=_room(above))
    except OSError as error:
        return Place(path, chosen_by, error=error.strerror or str(error))
    return Place(
        path,
        chosen_by,
        exists=True,
        is_directory=stat.S_ISDIR(found.st_mode),
        uid=found.st_uid,
        owner=user_name(found.st_uid),
        mode=stat.S_IMODE(found.st_mode),
        can_list=can_list,
        can_write=can_write,
        room=_room(looked_at),
    )


def engine_place(environment: Mapping[str, str], uid: int, groups: frozenset[int]) -> Path:
    """The runtime directory of an engine of another process, by the probe's rules and with its rights."""
    if uid == os.geteuid():
        return runtime_dir(dict(environment))
    if chosen := environment.get("RBLNTOP_RUNTIME_DIR"):
        return Path(chosen)
    if any(_may_write(path, uid, groups) for path in (SERVICE_DIR, SERVICE_DIR / ENGINES)):
        return SERVICE_DIR
    if session := environment.get("XDG_RUNTIME_DIR"):
        return Path(session) / "rblntop"
    return Path(f"/tmp/rblntop-{uid}")


def user_name(uid: int) -> str:
    """Its name, or ``uid N`` where it has none here."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _rule(path: Path, environment: Mapping[str, str]) -> str:
    if environment.get("RBLNTOP_RUNTIME_DIR"):
        return "$RBLNTOP_RUNTIME_DIR"
    if path == SERVICE_DIR:
        return "the service's, which you may write"
    service = f"{SERVICE_DIR} is not yours to write" if SERVICE_DIR.exists() else f"no {SERVICE_DIR}"
    if environment.get("XDG_RUNTIME_DIR"):
        return f"below $XDG_RUNTIME_DIR: {service}"
    return f"{service}, and no $XDG_RUNTIME_DIR"


def _room(directory: Path) -> Room:
    """On a disk a ring could block its engine, so that it goes to shared memory."""
    on_tmpfs = is_tmpfs(directory)
    place = directory if on_tmpfs else SHARED_MEMORY
    if not on_tmpfs and not (place.is_dir() and is_tmpfs(place)):
        return Room(False, None, 0, NEEDED_BYTES)
    space = os.statvfs(place)
    return Room(on_tmpfs, place, space.f_bavail * space.f_frsize, NEEDED_BYTES)


def _may_write(path: Path, uid: int, groups: frozenset[int]) -> bool:
    try:
        found = os.stat(path)
    except OSError:
        return False
    if uid == 0:
        return True
    if found.st_uid == uid:
        return bool(found.st_mode & stat.S_IWUSR)
    wanted = stat.S_IWGRP if found.st_gid in groups else stat.S_IWOTH
    return bool(found.st_mode & wanted)
