"""Where engines and the daemon meet: the runtime directory, and which files in it to trust.

The same rules for both sides, so that neither needs to be told where the other is.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

SERVICE_DIR = Path("/run/rblntop")
SHARED_MEMORY = Path("/dev/shm")
ENGINES = "engines"


class RuntimeDirError(OSError):
    """There is no usable runtime directory; the message says which was tried and what is wrong with it."""


def runtime_dir(environ: dict[str, str] | None = None) -> Path:
    """The runtime directory: ``$RBLNTOP_RUNTIME_DIR``, the service's, the session's, else one in /tmp."""
    env = os.environ if environ is None else environ
    if chosen := env.get("RBLNTOP_RUNTIME_DIR"):
        return Path(chosen)
    if os.access(SERVICE_DIR, os.W_OK) or os.access(SERVICE_DIR / ENGINES, os.W_OK):
        return SERVICE_DIR
    if session := env.get("XDG_RUNTIME_DIR"):
        return Path(session) / "rblntop"
    return Path(f"/tmp/rblntop-{os.geteuid()}")


def is_tmpfs(path: Path) -> bool:
    """Whether ``path`` lies on a memory file system, from /proc/self/mountinfo (the stdlib has no f_type)."""
    device = os.stat(path).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    with open("/proc/self/mountinfo") as mounts:
        for line in mounts:
            fields = line.split()
            if fields[2] == wanted:
                return fields[fields.index("-") + 1] in ("tmpfs", "ramfs")
    return False


def shared_memory_dir(runtime: Path, uid: int) -> Path:
    """Stand-in for ``<runtime>/engines`` when that is on a disk: a mapping on a disk can block the engine."""
    key = hashlib.sha256(os.path.realpath(runtime).encode()).hexdigest()[:12]
    return SHARED_MEMORY / f"rblntop-{uid}-{key}" / ENGINES


def make_engines_dir(runtime: Path) -> Path:
    """Return the directory for this engine's files, made if it is not there; it is on a tmpfs.

    Raises:
        RuntimeDirError: it cannot be made or written, belongs to somebody else, or there is no tmpfs.
    """
    engines = _make_private(runtime / ENGINES)
    if not is_tmpfs(engines):
        if not (SHARED_MEMORY.is_dir() and is_tmpfs(SHARED_MEMORY)):
            raise RuntimeDirError(f"{engines} is not on a tmpfs, and neither is {SHARED_MEMORY}")
        engines = _make_private(shared_memory_dir(runtime, os.geteuid()))
    if not os.access(engines, os.W_OK | os.X_OK):
        raise RuntimeDirError(f"{engines} is not writable for uid {os.geteuid()}")
    return engines


def engines_dirs(runtime: Path) -> list[Path]:
    """Every directory in which rings of ``runtime`` can lie, for the side that looks for them."""
    wanted = shared_memory_dir(runtime, 0).parent.name.rpartition("-")[2]
    return [runtime / ENGINES, *sorted(SHARED_MEMORY.glob(f"rblntop-*-{wanted}/{ENGINES}"))]


def is_trusted(file: os.stat_result, directory: os.stat_result) -> bool:
    """Whether a file in ``directory`` may be read: of root, of our own uid, or of the directory's group.

    The group counts only in a directory that root made for it (setgid): anybody can make one of their own.
    """
    if not stat.S_ISREG(file.st_mode) and not stat.S_ISSOCK(file.st_mode):
        return False
    if file.st_uid in (0, os.geteuid()):
        return True
    shared = directory.st_uid == 0 and bool(directory.st_mode & stat.S_ISGID)
    return shared and file.st_gid == directory.st_gid


def _make_private(path: Path) -> Path:
    """``path`` made with mode 0700 where it is missing; what is there must be ours, root's or a service's."""
    for part in (path.parent, path):
        try:
            os.mkdir(part, 0o700)
        except FileExistsError:
            pass
        except OSError as error:
            raise RuntimeDirError(f"cannot make {part}: {error.strerror}") from error
        found = os.stat(part, follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode):
            raise RuntimeDirError(f"{part} is not a directory")
        if found.st_uid not in (0, os.geteuid()):
            raise RuntimeDirError(f"{part} belongs to uid {found.st_uid}")
        if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
            raise RuntimeDirError(f"{part} can be written by others (mode {stat.S_IMODE(found.st_mode):o})")
    return path
