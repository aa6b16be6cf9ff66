"""The configuration's file: where it is, and what it says."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from rblntopd.config.errors import ConfigError, refused
from rblntopd.config.keys import BY_NAME

NAME = "rblntopd.toml"
SYSTEM_DIR = Path("/etc/rblntop")
TABLES = {name.partition(".")[0] for name in BY_NAME if "." in name}


def default_file(environ: Mapping[str, str]) -> Path:
    """The service's file for the service and for root, else the user's."""
    if directory := environ.get("CONFIGURATION_DIRECTORY"):  # systemd.exec(5)
        return Path(directory.partition(":")[0]) / NAME
    if os.geteuid() == 0:
        return SYSTEM_DIR / NAME
    home = environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(home) / "rblntop" / NAME


def read(path: Path, required: bool) -> dict[str, object]:
    """Checked values by name; nothing where there is no file and none is ``required``.

    Raises:
        ConfigError: it cannot be read, is no TOML, has a key that there is not, or a value not allowed.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if not required:
            return {}
        raise ConfigError([f"{path} is not there"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: {getattr(error, 'strerror', None) or error}"]) from error
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: {error}"]) from error
    values: dict[str, object] = {}
    problems: list[str] = []
    for name, value in _flat(found):
        key = BY_NAME.get(name)
        if name in TABLES:
            problems.append(refused(f"{path}: {name}", _shown(value), "a table"))
            continue
        if key is None:
            problems.append(f"{path}: {unknown(name, 'key', [*BY_NAME, *TABLES])}")
            continue
        try:
            values[name] = key.kind.from_toml(value)
        except ValueError:
            problems.append(refused(f"{path}: {name}", _shown(value), key.kind.allowed))
    if problems:
        raise ConfigError(problems)
    return values


def unknown(name: str, what: str, known: Iterable[str]) -> str:
    """That there is no such key, and which one may be meant."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"there is no {what} {name}" + (f": did you mean {near[0]}?" if near else "")


def _flat(found: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    for name, value in found.items():
        if name in TABLES and isinstance(value, dict):
            yield from ((f"{name}.{inner}", given) for inner, given in value.items())
        else:
            yield name, value


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
