"""What a user chose to see, kept from one start to the next."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

INTERVALS_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
WINDOWS_S = (1, 10, 60)
MAX_BYTES = 64_000


@dataclass(frozen=True, slots=True)
class Settings:
    """Choices with their defaults."""

    window_s: int = 10
    interval_s: float = 1.0
    theme: str = ""
    """Empty: the first there is."""
    panels: tuple[str, ...] = ()
    """What the lower part shows; empty: as it is by default."""


class SettingsFile:
    """The file behind the settings. No failure of it is one of the dashboard."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self.path = path

    def read(self) -> tuple[Settings, str]:
        """The settings, and what is wrong with the file; empty: nothing, or there is none.

        What cannot be used is as if it were not there.
        """
        try:
            with open(self.path, encoding="utf-8") as file:
                found = json.loads(file.read(MAX_BYTES))
        except FileNotFoundError:
            return Settings(), ""
        except (OSError, UnicodeError) as error:
            return Settings(), f"{self.path} cannot be read: {_cause(error)}"
        except (ValueError, RecursionError):
            return Settings(), f"{self.path} is no JSON: using the defaults"
        if not isinstance(found, dict):
            return Settings(), f"{self.path} holds no settings: using the defaults"
        return _settings(found, self.path)

    def change(self, **changed: Any) -> tuple[Settings, str]:
        """Keep these settings; others that were changed elsewhere meanwhile stay.

        Returns:
            The settings, and why they could not be kept; empty: they were.
        """
        settings = replace(self.read()[0], **changed)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".settings-")
            try:
                with open(handle, "w", encoding="utf-8") as file:
                    json.dump(asdict(settings), file, indent=2)
                    file.write("\n")
                os.replace(name, self.path)
            except BaseException:
                os.unlink(name)
                raise
        except OSError as error:
            return settings, f"settings cannot be kept in {self.path.parent}: {_cause(error)}"
        return settings, ""


def settings_path(environment: Mapping[str, str]) -> Path:
    """``$XDG_CONFIG_HOME/rblntop/settings.json``; a relative one does not count, as the XDG rules say."""
    given = environment.get("XDG_CONFIG_HOME", "")
    home = Path(given) if given.startswith("/") else Path(environment.get("HOME") or "/") / ".config"
    return home / "rblntop" / "settings.json"


def _settings(found: dict[str, Any], path: Path) -> tuple[Settings, str]:
    allowed = {
        "window_s": lambda value: value in WINDOWS_S and not isinstance(value, bool),
        "interval_s": lambda value: isinstance(value, int | float) and _near(value) is not None,
        "theme": lambda value: isinstance(value, str) and len(value) < 100,
        "panels": lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value),
    }
    usable: dict[str, Any] = {}
    unusable: list[str] = []
    for field in fields(Settings):
        if field.name not in found:
            continue
        value = found[field.name]
        if not allowed[field.name](value):
            unusable.append(field.name)
        elif field.name == "panels":
            usable[field.name] = tuple(value)
        elif field.name == "interval_s":
            usable[field.name] = _near(value)
        else:
            usable[field.name] = value
    problem = f"{path}: not usable: {', '.join(unusable)}" if unusable else ""
    return Settings(**usable), problem


def _near(seconds: float) -> float | None:
    """The interval that is meant; None: none of them."""
    return next((one for one in INTERVALS_S if math.isclose(one, seconds)), None)


def _cause(error: Exception) -> str:
    return str(getattr(error, "strerror", "") or error)
