"""Everything that the operator can do: one list for the keys, the key bar, the palette and the help."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. A capital letter changes the engine, a small one never does."""

    keys: str
    """As Textual names them, with commas between."""
    sign: str
    """The key as it is shown."""
    action: str
    """What runs."""
    name: str
    """For the palette and the help."""
    meaning: str
    changes: bool = False
    """The engine, that is; not possible without the right to."""


ACTIONS: tuple[Action, ...] = (
    Action("M", "M", "set_max_num_seqs", "max_num_seqs", "change max_num_seqs, while requests run", True),
    Action(
        "G",
        "G",
        "set_group_cap",
        "group cap",
        "change the cap of a group, or of all; a click on a group's cap does the same",
        True,
    ),
    Action("K", "K", "keep", "keep the change on trial", "keep the change that is on trial", True),
    Action(
        "U",
        "U",
        "undo",
        "undo",
        "undo the change on trial; without one, try the values before the last kept change",
        True,
    ),
    Action("E", "E", "extend", "extend the trial", "give the change on trial 10 more minutes from now", True),
    Action("A", "A", "admission", "admission", "close the admission of waiting requests, or open it", True),
    Action("R", "R", "reset", "reset all limits", "put all limits back to the start; asks first", True),
    Action("X", "X", "explain", "explain the verdict", "the rule behind the verdict, with its figures"),
    Action("w", "w", "next_window", "window", "window of all figures: 1, 10, 60 s"),
    Action("p", "p", "pause", "pause", "let the figures stand still; again: go on"),
    Action("plus,equals_sign", "+", "interval(1)", "longer interval", "more time between snapshots, to 10 s"),
    Action("minus", "-", "interval(-1)", "shorter interval", "less time between snapshots, to 0.2 s"),
    Action("slash", "/", "find", "find", "show engines and groups that hold a text; Esc clears it"),
    Action("space", "space", "mark", "mark the engine", "mark an engine: M and G change all marked ones"),
    Action("right,l", "→ l", "next_engine(1)", "next engine", "the next engine"),
    Action("left,h", "← h", "next_engine(-1)", "previous engine", "the engine before"),
    Action("tab", "Tab", "next_view(1)", "next view", "the next view in place of the graphs"),
    Action("shift+tab", "⇧Tab", "next_view(-1)", "previous view", "the view before"),
    Action("r", "r", "toggle_view('requests')", "requests", "the requests, and back; s sorts them"),
    Action("e", "e", "toggle_view('events')", "events", "what happened, and back"),
    Action("d", "d", "toggle_view('detail')", "details", "windows, batches in flight, empty slots, and back"),
    Action("s", "s", "next_request_sort", "sort requests", "requests by the next column"),
    Action("g", "g", "next_span", "time of the graphs", "time of the graphs: 1 min, 10 min, 1 h, 1 day"),
    Action("z", "z", "zoom", "zoom the strips", "a cell a step, in the row whose turn it took"),
    Action("o", "o", "overview", "all engines", "all engines in one table; Enter shows one"),
    Action("t", "t", "next_theme", "theme", "dark, light, high contrast, colour-blind safe, ASCII only"),
    Action("down,j", "↓ j", "scroll_groups(1)", "groups down", "scroll the groups, when they do not all fit"),
    Action("up,k", "↑ k", "scroll_groups(-1)", "groups up", "scroll them back"),
    Action("pagedown", "PgDn", "scroll_groups(8)", "groups a page down", "eight groups down"),
    Action("pageup", "PgUp", "scroll_groups(-8)", "groups a page up", "eight groups up"),
    Action("escape", "Esc", "clear", "clear the filter and the marks", "clear the filter and the marks"),
    Action("colon", ":", "command_palette", "all actions", "find an action by its name"),
    Action("question_mark", "?", "help", "help", "what every number means"),
    Action(
        "q,ctrl+c", "q", "quit", "quit", "leave. Watching costs the engine nothing; leaving changes nothing"
    ),
)
