"""Widgets of lines: what they draw, and that they draw no more than changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rblntop.app.widgets.group_table import GroupTable
from rblntop.app.widgets.header_line import HeaderLine
from rblntop.app.widgets.line_widget import LineWidget
from rblntop.app.widgets.summary_block import SummaryBlock
from rblntop.source import examples
from rblntop.source.scripted import ScriptedSource
from rblntop.text.cells import cells
from rblntop.text.line import Role, Span


def row(widget: LineWidget, y: int) -> str:
    return "".join(segment.text for segment in widget.render_line(y))


async def test_a_line_fills_its_row_exactly(dashboard):
    async with dashboard(ScriptedSource(examples.serving()), size=(80, 24)) as (app, _):
        for widget in app.screen.query(LineWidget):
            for y in range(widget.size.height):
                assert cells(row(widget, y)) == widget.size.width


async def test_the_row_of_a_group_says_batch_bucket_padding_and_cap(dashboard):
    async with dashboard(ScriptedSource(examples.capped()), size=(80, 24)) as (app, _):
        table = app.query_one(GroupTable)
        assert row(table, 3)[:43] == "   2     2  ▇▇▇▇▇▇▇▇   2/8   75 %  2 of 8  "


async def test_a_row_past_the_end_is_blank(dashboard):
    async with dashboard(ScriptedSource(examples.serving())) as (app, _):
        assert row(app.query_one(HeaderLine), 7).strip() == ""


async def test_only_rows_that_changed_are_drawn_again(dashboard, monkeypatch):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        summary = app.query_one(SummaryBlock)
        drawn = []
        monkeypatch.setattr(summary, "refresh", lambda *regions, **_: drawn.extend(regions))
        source.show(replace(examples.serving(), waiting=5))
        await source.seen()
        await pilot.pause()
        assert [region.y for region in drawn] == [2]


async def test_an_unchanged_snapshot_draws_nothing(dashboard, monkeypatch):
    source = ScriptedSource(examples.serving())
    async with dashboard(source) as (app, pilot):
        drawn = []
        for widget in app.screen.query(LineWidget):
            monkeypatch.setattr(widget, "refresh", lambda *regions, **_: drawn.extend(regions))
        source.show(examples.serving())
        await source.seen()
        await pilot.pause()
        assert drawn == []


@pytest.mark.parametrize(("x", "action"), [(0, ""), (2, "open"), (5, "open"), (6, ""), (99, "")])
async def test_a_click_finds_the_span_below_it_by_cells(dashboard, x, action):
    async with dashboard(ScriptedSource(examples.serving())) as (app, _):
        header = app.query_one(HeaderLine)
        header.draw([(Span("ab"), Span("試験", Role.KEY, "open"), Span("c"))])
        assert header.action_at(x, 0) == action
