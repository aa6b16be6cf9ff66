"""The one screen of the dashboard."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen

from rblntop.actions import ACTIONS
from rblntop.app.widgets.ask_panel import AskPanel
from rblntop.app.widgets.change_panel import ChangePanel
from rblntop.app.widgets.engine_tabs import EngineTabs
from rblntop.app.widgets.group_table import GroupTable
from rblntop.app.widgets.header_line import HeaderLine
from rblntop.app.widgets.key_bar import KeyBar
from rblntop.app.widgets.limits_block import LimitsBlock
from rblntop.app.widgets.line_widget import LineWidget
from rblntop.app.widgets.panel_area import PanelArea
from rblntop.app.widgets.summary_block import SummaryBlock
from rblntop.app.widgets.verdict_line import VerdictLine
from rblntop.app.widgets.welcome_pane import WelcomePane
from rblntop.ask import Ask
from rblntop.blocks import change_panel, limits_line
from rblntop.blocks.group_table import groups_that_fit
from rblntop.blocks.layout import layout, room_to_change
from rblntop.model import LimitKind
from rblntop.scene import Link, Scene

Part = TypeVar("Part", bound=LineWidget)


class Dashboard(Screen[None]):
    """All parts from top to bottom; what each of them says is decided in ``rblntop.blocks``."""

    AUTO_FOCUS = ""
    """Only an open panel takes the keys."""

    class Ready(Message):
        """All parts are there and can draw."""

    DEFAULT_CSS = """
    Dashboard { background: $background; layout: vertical; overflow: hidden; }
    #dashboard { height: 1fr; overflow: hidden; }
    HeaderLine, EngineTabs, VerdictLine { height: 1; }
    KeyBar { dock: bottom; height: 1; background: $surface; }
    WelcomePane { height: 1fr; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(action.keys, f"app.{action.action}", action.name, show=False) for action in ACTIONS),
        *(
            Binding(f"{number}", f"app.choose_engine({number - 1})", f"engine {number}", show=False)
            for number in range(1, 10)
        ),
    ]

    def compose(self) -> ComposeResult:
        """All parts."""
        with Vertical(id="dashboard"):
            yield HeaderLine()
            yield EngineTabs()
            yield VerdictLine()
            yield SummaryBlock()
            yield GroupTable()
            yield LimitsBlock()
            for panel in (ChangePanel(), AskPanel()):
                panel.display = False
                yield panel
            yield PanelArea()
        yield WelcomePane()
        yield KeyBar()

    def on_mount(self) -> None:
        """From now on there is something to draw on."""
        self._scene: Scene | None = None
        self.post_message(self.Ready())

    def on_resize(self) -> None:
        """Another height is another layout. A panel that nobody can see any more takes no keys."""
        if self._scene is not None:
            if self.open_panel is not None and not self.can_change(self._scene):
                self.close_panels()
            self._lay_out(self._scene)

    def can_change(self, scene: Scene) -> bool:
        """Whether there is room for the panel."""
        columns, rows = room_to_change(engine_count=len(scene.engines))
        return self.size.width >= columns and self.size.height >= rows

    @property
    def changing(self) -> ChangePanel | None:
        """The open panel for a limit."""
        panel = self.query_one(ChangePanel)
        return panel if panel.display else None

    @property
    def asking(self) -> AskPanel | None:
        """The open question."""
        panel = self.query_one(AskPanel)
        return panel if panel.display else None

    @property
    def open_panel(self) -> ChangePanel | AskPanel | None:
        """Whichever panel is open."""
        return self.changing or self.asking

    @property
    def lower_rows(self) -> int:
        """Rows of the lower part."""
        area = self.query_one(PanelArea)
        return area.size.height if area.display else 0

    @property
    def groups_in_view(self) -> int:
        """Groups that the table shows at once."""
        table = self.query_one(GroupTable)
        return groups_that_fit(table.size.height, table.strip_height)

    def draw(self, scene: Scene | None, link: Link, *, heard: bool, notice: str) -> None:
        """Draw a frame; the parts find out what changed."""
        self._scene = scene
        with self.app.batch_update():
            self.query_one("#dashboard").display = scene is not None
            self.query_one(WelcomePane).display = scene is None
            if scene is None:
                self.query_one(WelcomePane).tell(link, heard=heard)
            else:
                self._lay_out(scene)
                for part in self.query("#dashboard > *").results(LineWidget):
                    if part.display:
                        part.show(scene)
            self.query_one(KeyBar).tell(scene, notice)

    def open_change(self, kind: LimitKind, group: int | None, scene: Scene) -> None:
        """Open the panel in place of the lower part, so that the groups stay in view."""
        self.close_panels()
        panel = self.query_one(ChangePanel)
        panel.display = True
        panel.open(kind, group, scene)
        panel.focus()
        self._lay_out(scene)

    def open_ask(self, ask: Ask, scene: Scene) -> None:
        """Ask in the same place."""
        self.close_panels()
        panel = self.query_one(AskPanel)
        panel.display = True
        panel.open(ask, scene)
        panel.focus()
        self._lay_out(scene)

    def close_panels(self) -> None:
        """Close whichever panel is open."""
        if self.open_panel is not None:
            self.set_focus(None)
        self.query_one(ChangePanel).display = False
        self.query_one(AskPanel).display = False

    def find(self, text: str) -> None:
        """Let a text to look for be typed in the last line."""
        self.close_panels()
        self.query_one(KeyBar).find(text)

    def _lay_out(self, scene: Scene) -> None:
        panel = self.open_panel
        rows = layout(
            self.size.height,
            group_count=len(scene.snapshot.groups),
            engine_count=len(scene.engines),
            changing=panel is not None,
            unfolded=limits_line.unfolded(scene),
        )
        # The layout leaves room for the least that a panel needs; it takes more from the part below it.
        wanted = panel.rows_wanted(scene, self.size.width) if panel is not None else 0
        more = min(max(0, wanted - change_panel.HEIGHT), rows.panels)
        below = rows.panels - more
        table = self.query_one(GroupTable)
        table.strip_height = rows.strip_height
        self.query_one(EngineTabs).display = bool(rows.tabs)
        self.query_one(PanelArea).display = below > 0
        for part, height, gap in (
            (VerdictLine, 1, rows.gap_after_verdict),
            (SummaryBlock, rows.summary, rows.gap_after_summary),
            (GroupTable, rows.groups, rows.gap_after_groups),
            (LimitsBlock, rows.limits, rows.gap_after_limits),
            (ChangePanel, change_panel.HEIGHT + more, rows.gap_after_change),
            (AskPanel, change_panel.HEIGHT + more, rows.gap_after_change),
            (PanelArea, below, 0),
        ):
            widget = self.query_one(part)
            if widget.styles.height is None or widget.styles.height.value != height:
                widget.styles.height = height
            if widget.styles.margin.bottom != gap:
                widget.styles.margin = (0, 0, gap, 0)
