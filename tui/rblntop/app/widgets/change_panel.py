"""The panel in which a limit is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual import events
from textual.message import Message

from rblntop.app.widgets.line_widget import LineWidget
from rblntop.blocks.change_panel import change_panel, rows_wanted
from rblntop.limit_draft import Entry, LimitDraft, Phase, drafted_limits, open_draft, problem
from rblntop.model import LimitKind
from rblntop.scene import Scene
from rblntop.source.changes import ChangeAnswer
from rblntop.text.line import Line


class ChangePanel(LineWidget, can_focus=True):
    """Takes the keys while it is open. Enter does nothing as long as the value is impossible."""

    class Sent(Message):
        """The operator wants this change, of the engine in the scene."""

        def __init__(self, draft: LimitDraft, scene: Scene, *, keep: bool) -> None:
            super().__init__()
            self.draft = draft
            self.scene = scene
            self.keep = keep

    class Drafted(Message):
        """Another value: what would it do?"""

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
        """Start a change of a limit of the scene's engine, or of the marked ones."""
        marked = tuple(one.engine.instance_id for one in scene.marked)
        self.draft = open_draft(kind, group, scene.snapshot, marked)
        self._engine = scene.snapshot.engine.instance_id
        self._fresh = True
        self.show(scene)
        self._foresee()

    def rows_wanted(self, scene: Scene, width: int) -> int:
        """Rows in which all of it can be seen."""
        return rows_wanted(self.draft) if self.draft is not None else 0

    def lines_of(self, scene: Scene, width: int, height: int) -> Sequence[Line]:
        """What to draw of a scene."""
        return change_panel(self.draft, scene, width, height) if self.draft is not None else []

    def show(self, scene: Scene) -> None:
        """Another process is another engine."""
        if self.draft is not None and scene.snapshot.engine.instance_id != self._engine:
            self.post_message(self.Left())
            return
        super().show(scene)

    def become(self, draft: LimitDraft) -> None:
        """The answer came. After a refusal the next digit starts a new number."""
        self.draft = draft
        self._fresh = True
        self.redraw()
        if not draft.outlook and not draft.message:
            self._foresee()

    def foreseen(self, of: LimitDraft, answer: ChangeAnswer | None, refusal: str) -> None:
        """What the daemon says a draft would do; another one may have been typed meanwhile."""
        draft = self.draft
        if draft is None or (draft.kind, draft.group, draft.text) != (of.kind, of.group, of.text):
            return
        outlook = answer.engines if answer is not None else ()
        self.draft = replace(draft, outlook=outlook, outlook_refusal=refusal)
        self.redraw()

    def on_key(self, event: events.Key) -> None:
        """Digits type, arrows step, Enter tries, Escape leaves; the rest goes on to the screen."""
        if self.draft is None:
            return
        in_reason = self.draft.entry is Entry.REASON
        key, character = event.key, event.character
        if key == "escape" or (key == "q" and not in_reason):
            self.action_leave()
        elif key in ("enter", "ctrl+k"):
            self._send(keep=key == "ctrl+k")
        elif key in ("tab", "shift+tab"):
            self.action_next_entry()
        elif key in ("up", "down"):
            self.action_step(1 if key == "up" else -1)
        elif key in ("left", "right"):
            self.action_group(-1 if key == "left" else 1)
        elif key == "backspace":
            self._type("" if self._fresh and not in_reason else self._typed[:-1])
        elif character is not None and (event.is_printable if in_reason else _is_digit(character)):
            self._type(("" if self._fresh and not in_reason else self._typed) + character)
        elif key != "space":
            return
        event.stop()
        event.prevent_default()

    @property
    def _typed(self) -> str:
        if self.draft is None:
            return ""
        return self.draft.reason if self.draft.entry is Entry.REASON else self.draft.text

    def action_step(self, by: int) -> None:
        """One more or less, within what is allowed."""
        if self.draft is None or self._scene is None or not self.draft.editable:
            return
        limits = drafted_limits(self.draft, self._scene.snapshot.limits)
        if not limits:
            return
        low, high = max(limit.floor for limit in limits), min(limit.ceiling for limit in limits)
        self.action_enter_value()
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
        other = open_draft(
            LimitKind.GROUP_CAP, choices[(at + by) % len(choices)], self._scene.snapshot, self.draft.engines
        )
        self.draft = replace(other, reason=self.draft.reason, generation=self.draft.generation)
        self._fresh = True
        self.redraw()
        self._foresee()

    def action_next_entry(self) -> None:
        """From the value to the reason, and back."""
        if self.draft is not None and self.draft.editable:
            to_reason = self.draft.entry is Entry.VALUE
            self.draft = replace(self.draft, entry=Entry.REASON if to_reason else Entry.VALUE)
            self._fresh = True
            self.redraw()

    def action_enter_value(self) -> None:
        """Characters go to the value."""
        if self.draft is not None and self.draft.entry is Entry.REASON:
            self.action_next_entry()

    def action_enter_reason(self) -> None:
        """Characters go to the reason."""
        if self.draft is not None and self.draft.entry is Entry.VALUE:
            self.action_next_entry()

    def action_send(self) -> None:
        """Try the change, if it is possible."""
        self._send(keep=False)

    def action_send_and_keep(self) -> None:
        """Make the change without a trial, if it is possible."""
        self._send(keep=True)

    def _send(self, *, keep: bool) -> None:
        if self.draft is None or self._scene is None or not self.draft.editable:
            return
        if problem(self.draft, self._scene.snapshot) or self.draft.outlook_refusal:
            return
        self.draft = replace(self.draft, phase=Phase.SENDING, message="")
        self.redraw()
        self.post_message(self.Sent(self.draft, self._scene, keep=keep))

    def action_leave(self) -> None:
        """Close the panel; a change that was sent goes on."""
        self.post_message(self.Left())

    def _type(self, text: str) -> None:
        if self.draft is None or not self.draft.editable:
            return
        self._fresh = False
        if self.draft.entry is Entry.REASON:
            self.draft = self.draft.reasoned(text)
            self.redraw()
            return
        self.draft = self.draft.typed(text)
        self.redraw()
        self._foresee()

    def _foresee(self) -> None:
        if self.draft is None or self._scene is None:
            return
        if not problem(self.draft, self._scene.snapshot):
            self.post_message(self.Drafted(self.draft, self._scene))


def _is_digit(character: str) -> bool:
    return character.isdecimal() and character.isascii()
