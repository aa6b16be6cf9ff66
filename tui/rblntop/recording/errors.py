"""What can be wrong with a recording, worded for the person who reads it."""

from __future__ import annotations

import os
from pathlib import Path

from rblntop.client.errors import ClientError


class RecordingError(ClientError):
    """A file cannot be read or written as a recording; the message names it and says why."""

    def __init__(self, path: Path, text: str) -> None:
        super().__init__(f"{path}: {text}")
        self.path = path
        self.text = text


class DamagedBlockError(Exception):
    """A block's content contradicts itself. What to do about it is the reader's business."""


def from_os(path: Path, error: OSError) -> RecordingError:
    """The operating system said no."""
    return RecordingError(path, error.strerror or os.strerror(error.errno or 0))
