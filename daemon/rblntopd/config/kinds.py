"""What a value can be: how it is read from text and from TOML, and what is allowed.

Plain classes: making a dataclass takes a millisecond, and `rblntopd --help` loads this.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})", re.ASCII)
_LOOPBACK = re.compile(r"127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}|\[::1\]|localhost", re.ASCII)
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


class Text:
    """Any text without control characters; may be empty."""

    allowed = "a text"

    def __init__(self, allowed: str = "") -> None:
        self.allowed = allowed or self.allowed

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


class AbsolutePath(Text):
    """A path that does not depend on where the daemon was started. A text in a file, too."""

    allowed = "an absolute path"

    def from_text(self, text: str) -> str:
        """As :class:`Text`, but absolute."""
        Text.from_text(self, text)
        if not Path(text).is_absolute():
            raise ValueError
        return text


class UnixAddress(Text):
    """``unix:/path``."""

    allowed = "unix:/path/of/the/socket"

    def from_text(self, text: str) -> str:
        """As :class:`Text`, with the scheme."""
        Text.from_text(self, text)
        scheme, _, path = text.partition(":")
        if scheme != "unix" or not Path(path).is_absolute():
            raise ValueError
        return text


class HostPort(Text):
    """``host:port``, and empty for none."""

    allowed = "HOST:PORT with a port in 1..65535 (or empty: off)"

    def from_text(self, text: str) -> str:
        """As :class:`Text`, with a port."""
        match = _ADDRESS.fullmatch(text)
        if text and (match is None or not 1 <= int(match[2]) <= 65535):
            raise ValueError
        return text


class LoopbackPort(HostPort):
    """``address:port`` of this host alone, and empty for none."""

    allowed = "127.0.0.1:PORT, [::1]:PORT or localhost:PORT with a port in 1..65535 (or empty: off)"

    def from_text(self, text: str) -> str:
        """As :class:`HostPort`, an address that nobody elsewhere reaches."""
        HostPort.from_text(self, text)
        if text and not _LOOPBACK.fullmatch(text.rpartition(":")[0]):
            raise ValueError
        return text


class Choice(Text):
    """One of some words."""

    def __init__(self, *words: str) -> None:
        super().__init__(f"one of {', '.join(words)}")
        self._words = words

    def from_text(self, text: str) -> str:
        """As :class:`Text`, one of the words."""
        if text not in self._words:
            raise ValueError
        return text


class Number:
    """A finite number within a range."""

    def __init__(self, least: float, most: float) -> None:
        self.least = least
        self.most = most

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


class Flag:
    """Yes or no."""

    allowed = "true or false"

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


class Names:
    """A table that gives each of some names one of some words."""

    def __init__(self, *words: str) -> None:
        self.words = words

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
