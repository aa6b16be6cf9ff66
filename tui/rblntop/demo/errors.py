"""What can go wrong with a demo."""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot go on; the message says why."""
