"""The panel that asks before something is done, or explains the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual import events
from textual.message import Message

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.ask import Ask, Subject, ask_problem
from rblntop.blocks.ask_panel import ask_panel, rows_wanted
from rblntop.limit_draft import Phase
from rblntop.scene import Scene
from rblntop.text.line import Line


class AskPanel(LineWidget, can_focus=True):
    """Takes the keys while it is open. Enter does nothing as long as what is asked is not possible."""

    class Answered(Message):
        """The operator wants this, of the engine in the scene."""

        def __init__(self, ask: Ask, scene: Scene) -> None:
            super().__init__()
            self.ask = ask
            self.scene = scene

    class Left(Message):
        """The operator is done with the panel."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.ask: Ask | None = None
        self._fresh = True
        """The first digit replaces the proposed time."""

    def open(self, ask: Ask, scene: Scene) -> None:
        """Ask."""
        self.ask = ask
        self._fresh = True
        self.show(scene)

    def rows_wanted(self, scene: Scene, width: int) -> int:
        """Rows in which all of it can be seen."""
        return rows_wanted(self.ask, scene, width) if self.ask is not None else 0

    def lines_of(self, scene: Scene, width: int, height: int) -> Sequence[Line]:
        """What to draw of a scene."""
        return ask_panel(self.ask, scene, width, height) if self.ask is not None else []

    def show(self, scene: Scene) -> None:
        """Another process is another engine."""
        if self.ask is not None and scene.snapshot.engine.instance_id != self.ask.instance_id:
            self.post_message(self.Left())
            return
        super().show(scene)

    def become(self, ask: Ask) -> None:
        """The answer came."""
        self.ask = ask
        self.redraw()

    def on_key(self, event: events.Key) -> None:
        """Type, change with the arrows, answer with Enter, leave with Escape."""
        ask = self.ask
        if ask is None:
            return
        key, character = event.key, event.character
        if key == "escape" or (ask.subject is Subject.EXPLAIN and key in ("enter", "q", "X")):
            self.action_leave()
        elif ask.subject is Subject.EXPLAIN:
            # Only read: all other keys do what they do without it.
            return
        elif key == "enter":
            self.action_send()
        elif key in ("tab", "shift+tab"):
            self.action_next_entry()
        elif key in ("left", "right", "up", "down"):
            self.action_until()
        elif key == "backspace":
            self._type("" if self._fresh and not ask.in_reason else ask.text[:-1])
        elif event.is_printable and character is not None:
            if ask.in_reason or (character.isdecimal() and character.isascii()):
                self._type(("" if self._fresh and not ask.in_reason else ask.text) + character)
        else:
            return
        event.stop()
        event.prevent_default()

    def action_next_entry(self) -> None:
        """From the time to the reason, and back."""
        if self.ask is not None and self.ask.editable and self.ask.subject is Subject.CLOSE:
            self.ask = replace(self.ask, in_reason=not self.ask.in_reason)
            self._fresh = True
            self.redraw()

    def action_enter_value(self) -> None:
        """Characters go to the time."""
        if self.ask is not None and self.ask.in_reason:
            self.action_next_entry()

    def action_enter_reason(self) -> None:
        """Characters go to the reason."""
        if self.ask is not None and not self.ask.in_reason:
            self.action_next_entry()

    def action_until(self) -> None:
        """For a time, or until somebody opens it."""
        if self.ask is not None and self.ask.editable and self.ask.subject is Subject.CLOSE:
            self.ask = replace(
                self.ask, until_opened=not self.ask.until_opened, message="", phase=Phase.EDITING
            )
            self.redraw()

    def action_send(self) -> None:
        """Do it, if it is possible."""
        if self.ask is None or self._scene is None or not self.ask.editable:
            return
        if ask_problem(self.ask, self._scene.snapshot):
            return
        self.ask = replace(self.ask, phase=Phase.SENDING, message="")
        self.redraw()
        self.post_message(self.Answered(self.ask, self._scene))

    def action_leave(self) -> None:
        """Close the panel; what was sent goes on."""
        self.post_message(self.Left())

    def _type(self, text: str) -> None:
        if self.ask is not None and self.ask.editable:
            self._fresh = False
            self.ask = self.ask.typed(text)
            self.redraw()
