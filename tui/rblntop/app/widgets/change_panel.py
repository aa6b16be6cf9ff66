"""The panel in which a limit is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual import events
from textual.message import Message

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.change_panel import change_panel
from rblntop.limit_draft import LimitDraft, Phase, drafted_limits, follow, open_draft, problem
from rblntop.model import LimitKind
from rblntop.scene import Scene
from rblntop.text.line import Line


class ChangePanel(LineWidget, can_focus=True):
    """Takes the keys while it is open. Enter does nothing as long as the value is impossible."""

    class Sent(Message):
        """The operator wants this change, of the engine in the scene."""

        def __init__(self, draft: LimitDraft, scene: Scene) -> None:
            super().__init__()
            self.draft = draft
            self.scene = scene

    class Left(Message):
        """The operator is done with the panel."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.draft: LimitDraft | None = None
        self._engine = ""
        self._fresh = True
        """The first digit replaces the present value."""

    def open(self, kind: LimitKind, group: int | None, scene: Scene) -> None:
        """Start a change of a limit of the scene's engine."""
        self.draft = open_draft(kind, group, scene.snapshot)
        self._engine = scene.snapshot.engine.instance_id
        self._fresh = True
        self.show(scene)

    def lines_of(self, scene: Scene, width: int, height: int) -> Sequence[Line]:
        """What to draw of a scene."""
        return change_panel(self.draft, scene, width) if self.draft is not None else []

    def show(self, scene: Scene) -> None:
        """A new snapshot may tell how far the change has come."""
        if self.draft is not None:
            if scene.snapshot.engine.instance_id != self._engine:
                self.post_message(self.Left())
                return
            self.draft = follow(self.draft, scene.snapshot)
        super().show(scene)

    def become(self, draft: LimitDraft) -> None:
        """The answer came. After a refusal the next digit starts a new number."""
        self.draft = draft
        self._fresh = True
        if self._scene is not None:
            self.show(self._scene)

    def on_key(self, event: events.Key) -> None:
        """Digits type, arrows step, Enter sends, Escape leaves; the rest goes on to the screen."""
        if event.key in ("escape", "q") or (event.key == "enter" and self.draft and self.draft.sent):
            self.action_leave()
        elif event.key == "enter":
            self.action_send()
        elif event.key in ("up", "down"):
            self.action_step(1 if event.key == "up" else -1)
        elif event.key in ("left", "right", "tab", "shift+tab"):
            self.action_group(-1 if event.key in ("left", "shift+tab") else 1)
        elif event.key == "backspace":
            self._type("" if self._fresh else (self.draft.text[:-1] if self.draft else ""))
        elif event.character is not None and event.character.isdecimal() and event.character.isascii():
            typed = "" if self._fresh or self.draft is None else self.draft.text
            self._type(typed + event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def action_step(self, by: int) -> None:
        """One more or less, within what is allowed."""
        if self.draft is None or self._scene is None:
            return
        limits = drafted_limits(self.draft, self._scene.snapshot.limits)
        if not limits:
            return
        low, high = max(limit.floor for limit in limits), min(limit.ceiling for limit in limits)
        self._type(str(min(max((self.draft.value or 0) + by, low), high)))

    def action_group(self, by: int) -> None:
        """The next group; after the last one comes all."""
        if self.draft is None or self._scene is None or not self.draft.editable:
            return
        if self.draft.kind is not LimitKind.GROUP_CAP:
            return
        choices: list[int | None] = [group.group for group in self._scene.snapshot.groups]
        if not choices:
            return
        choices.append(None)
        at = choices.index(self.draft.group) if self.draft.group in choices else 0
        self.draft = open_draft(LimitKind.GROUP_CAP, choices[(at + by) % len(choices)], self._scene.snapshot)
        self._fresh = True
        self.redraw()

    def action_send(self) -> None:
        """Ask for the change, if it is possible."""
        if self.draft is None or self._scene is None or not self.draft.editable:
            return
        if problem(self.draft, self._scene.snapshot):
            return
        self.draft = replace(self.draft, phase=Phase.SENDING, message="")
        self.redraw()
        self.post_message(self.Sent(self.draft, self._scene))

    def action_leave(self) -> None:
        """Close the panel; a change that was sent goes on."""
        self.post_message(self.Left())

    def _type(self, text: str) -> None:
        if self.draft is None or not self.draft.editable:
            return
        self._fresh = False
        self.draft = self.draft.typed(text)
        self.redraw()
