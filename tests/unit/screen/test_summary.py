"""The four columns of figures in terminals of all widths."""

from __future__ import annotations

import pytest

from rblntop.blocks.summary import summary
from rblntop.scene import Link, Scene
from rblntop.source import examples
from rblntop.text.line import plain

TITLES = ("REQUESTS", "SPEED", "PIPELINE", "MEMORY AND LENGTH")


@pytest.mark.parametrize(
    ("width", "titles"),
    [(200, 4), (120, 4), (100, 4), (80, 4), (79, 3), (57, 3), (56, 2), (40, 2), (20, 1), (8, 1)],
)
def test_a_column_is_there_whole_or_not_at_all(width, titles):
    lines = [plain(line) for line in summary(Scene(examples.serving(), Link()), width)]
    assert [title for title in TITLES if title in lines[0]] == list(TITLES[:titles])
    if titles > 1:
        assert max(len(line) for line in lines) <= width
