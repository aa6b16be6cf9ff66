"""Steps as the engines' tests make them."""

from __future__ import annotations

from tests.unit.engines.conftest import make_step

__all__ = ["make_step"]
