"""The configuration as a file would have it, each value with where it came from."""

from __future__ import annotations

from rblntopd.config.config import Config
from rblntopd.config.keys import KEYS, Key


def report(config: Config) -> str:
    """A TOML file that says the same. A key without a value is a comment."""
    there = "" if config.path.exists() else " (not there)"
    lines = [f"# {config.path}{there}"]
    table = ""
    for key in KEYS:
        inside, _, name = key.name.rpartition(".")
        if inside != table:
            lines += ["", f"[{inside}]"]
            table = inside
        lines.append(_line(key, name, config))
    return "\n".join(lines)


def _line(key: Key, name: str, config: Config) -> str:
    value = config.values[key.name]
    if value is None:
        return f"# {name} is not set"
    return f"{name} = {key.kind.to_toml(value)}  # {config.sources[key.name]}"
