"""What a value can be: how it is read from text and from TOML, and what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})", re.ASCII)
_ON, _OFF = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Kind(Protocol):
    """One sort of values."""

    @property
    def allowed(self) -> str:
        """What is allowed, for an error."""

    def from_text(self, text: str) -> object:
        """The value that the environment or an option gives as text; ValueError: it is not allowed."""

    def from_toml(self, value: object) -> object:
        """The value that a file gives; ValueError: it is not allowed."""

    def to_toml(self, value: object) -> str:
        """The value as a file gives it."""


@dataclass(frozen=True, slots=True)
class Text:
    """Any text without control characters; may be empty."""

    allowed: str = "a text"

    def from_text(self, text: str) -> str:
        """Itself."""
        if not text.isprintable():
            raise ValueError
        return text

    def from_toml(self, value: object) -> object:
        """A string, read as text is."""
        if not isinstance(value, str):
            raise ValueError
        return self.from_text(value)

    def to_toml(self, value: object) -> str:
        """A basic string."""
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class AbsolutePath(Text):
    """A path that does not depend on where the daemon was started. A text in a file, too."""

    allowed: str = "an absolute path"

    def from_text(self, text: str) -> str:
        """As :class:`Text`, but absolute."""
        Text.from_text(self, text)
        if not Path(text).is_absolute():
            raise ValueError
        return text


@dataclass(frozen=True, slots=True)
class UnixAddress(Text):
    """``unix:/path``."""

    allowed: str = "unix:/path/of/the/socket"

    def from_text(self, text: str) -> str:
        """As :class:`Text`, with the scheme."""
        Text.from_text(self, text)
        scheme, _, path = text.partition(":")
        if scheme != "unix" or not Path(path).is_absolute():
            raise ValueError
        return text


@dataclass(frozen=True, slots=True)
class HostPort(Text):
    """``host:port``, and empty for none."""

    allowed: str = "HOST:PORT with a port in 1..65535 (or empty: off)"

    def from_text(self, text: str) -> str:
        """As :class:`Text`, with a port."""
        match = _ADDRESS.fullmatch(text)
        if text and (match is None or not 1 <= int(match[2]) <= 65535):
            raise ValueError
        return text


@dataclass(frozen=True, slots=True)
class Choice(Text):
    """One of some words."""

    words: tuple[str, ...] = ()

    def from_text(self, text: str) -> str:
        """As :class:`Text`, one of the words."""
        if text not in self.words:
            raise ValueError
        return text


def choice(*words: str) -> Choice:
    """One of ``words``."""
    return Choice(f"one of {', '.join(words)}", words)


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number within a range."""

    least: float
    most: float

    @property
    def allowed(self) -> str:
        """The range."""
        return f"a number in {self.least:g}..{self.most:g}"

    def from_text(self, text: str) -> object:
        """A number in decimal."""
        return self.from_toml(float(text))

    def from_toml(self, value: object) -> object:
        """An integer or a float."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
            raise ValueError
        if not self.least <= value <= self.most:
            raise ValueError
        return float(value)

    def to_toml(self, value: object) -> str:
        """As short as it goes."""
        return f"{value:g}"


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no."""

    allowed: str = "true or false"

    def from_text(self, text: str) -> object:
        """As people write it in an environment."""
        if text.lower() not in (*_ON, *_OFF):
            raise ValueError
        return text.lower() in _ON

    def from_toml(self, value: object) -> object:
        """A boolean."""
        if not isinstance(value, bool):
            raise ValueError
        return value

    def to_toml(self, value: object) -> str:
        """A boolean."""
        return str(value).lower()


@dataclass(frozen=True, slots=True)
class Names:
    """A table that gives each of some names one of some words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """The words."""
        return f"a table of names, each with one of {', '.join(self.words)}"

    def from_text(self, text: str) -> object:
        """``name=word,name=word``."""
        pairs = (part.rpartition("=") for part in text.split(",") if part)
        return self.from_toml({name.strip(): word.strip() for name, _, word in pairs})

    def from_toml(self, value: object) -> object:
        """A table of strings."""
        if not isinstance(value, dict) or not all(
            name and word in self.words for name, word in value.items()
        ):
            raise ValueError
        return dict(value)

    def to_toml(self, value: object) -> str:
        """An inline table."""
        assert isinstance(value, Mapping)
        quote = Text().to_toml
        inside = ", ".join(f"{quote(name)} = {quote(word)}" for name, word in value.items())
        return f"{{ {inside} }}" if inside else "{}"
