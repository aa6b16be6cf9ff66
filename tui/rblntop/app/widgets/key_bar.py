"""The keys, or what there is to say about the last one; also where the text of a search is typed."""

from __future__ import annotations

from textual import events
from textual.message import Message

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.key_bar import key_bar
from rblntop.scene import Scene

MAX_TEXT = 60


class KeyBar(LineWidget):
    """The keys; each is also a place to click."""

    class Searched(Message):
        """What is looked for, with each key; ``done`` when it is no longer typed."""

        def __init__(self, text: str, *, done: bool) -> None:
            super().__init__()
            self.text = text
            self.done = done

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._notice = ""
        self.finding: str | None = None
        """The text typed so far; None: nothing is looked for now."""

    def tell(self, scene: Scene | None, notice: str) -> None:
        """Show the keys that apply, or a notice in their place."""
        self._scene, self._notice = scene, notice
        self.redraw()

    def find(self, text: str) -> None:
        """Let a text be typed; all keys go there."""
        self.finding = text
        self.can_focus = True
        self.focus()
        self.redraw()

    def redraw(self) -> None:
        """There is a key bar without an engine too."""
        self.draw([key_bar(self._scene, self.size.width, notice=self._notice, finding=self.finding)])

    def on_key(self, event: events.Key) -> None:
        """Type, keep with Enter, clear with Escape."""
        if self.finding is None:
            return
        event.stop()
        event.prevent_default()
        if event.key in ("enter", "escape"):
            self._end("" if event.key == "escape" else self.finding)
        elif event.key == "backspace":
            self._search(self.finding[:-1])
        elif event.is_printable and event.character is not None:
            self._search((self.finding + event.character)[:MAX_TEXT])

    def on_blur(self) -> None:
        """Something else takes the keys: what was typed stays."""
        if self.finding is not None:
            self._end(self.finding)

    def _search(self, text: str) -> None:
        self.finding = text
        self.redraw()
        self.post_message(self.Searched(text, done=False))

    def _end(self, text: str) -> None:
        self.finding = None
        self.can_focus = False
        self.screen.set_focus(None)
        self.redraw()
        self.post_message(self.Searched(text, done=True))
