"""Engines of rings that the real writer wrote, and the page of them."""

from __future__ import annotations

from tests.unit.engines.conftest import make_ring, make_step

__all__ = ["make_ring", "make_step"]
