"""The screen while there is no engine: what is missing, and how to get it."""

from __future__ import annotations

from rblntop.scene import Link, LinkState
from rblntop.text.cells import clean
from rblntop.text.durations import duration
from rblntop.text.line import Line, Role, Span, fit, width_of
from rblntop.text.wrap import wrapped

START_BOTH = "rblntopd run -- vllm serve MODEL ..."
START_DAEMON = "rblntopd serve"


def welcome(link: Link, heard: bool, width: int, height: int) -> list[Line]:
    """Centred, in exactly ``height`` lines."""
    lines = _no_engine(link) if heard and link.state is not LinkState.LOST else _no_daemon(link, width)
    room = min(width, max(width_of(line) for line in lines))
    top = max(0, (height - len(lines)) // 2)
    margin = max(0, (width - room) // 2)
    centred: list[Line] = [()] * top
    centred += [fit((Span(" " * margin), *line), width) for line in lines]
    return [*centred, *[()] * (height - len(centred))][:height]


def _no_engine(link: Link) -> list[Line]:
    return [
        (Span("◌  No engine yet", Role.NOTE),),
        (),
        (
            Span("The daemon is live", Role.TEXT),
            Span(f" ({clean(link.address)})" if link.address else "", Role.LABEL),
        ),
        (Span("and shows the first engine the moment its scheduler starts.", Role.TEXT),),
        (),
        (Span("Start one under rblntop:", Role.LABEL),),
        (Span(f"    {START_BOTH}", Role.STRONG),),
        (),
        (Span("Or install rblntop beside vLLM: it then records by itself.", Role.LABEL),),
        (Span("    pip install --no-deps rblntop", Role.STRONG),),
    ]


def _no_daemon(link: Link, width: int) -> list[Line]:
    if link.state is LinkState.CONNECTING:
        return [
            (Span("◌  Connecting", Role.NOTE),),
            (),
            (Span(clean(link.address) or "looking for a daemon"),),
        ]
    cause = " ".join(clean(link.cause).split())
    where = clean(link.address)
    lines: list[Line] = [
        (Span("■  No daemon answers", Role.ACT), Span(f"  {where}" if where else "", Role.LABEL)),
        *((Span(part, Role.LABEL),) for part in wrapped(cause, min(72, width - 8))),
        (),
        (Span("Start engine and daemon together:", Role.LABEL),),
        (Span(f"    {START_BOTH}", Role.STRONG),),
        (Span("or a daemon for engines that run already:", Role.LABEL),),
        (Span(f"    {START_DAEMON}", Role.STRONG),),
        (Span("A daemon elsewhere: --connect ADDRESS or $RBLNTOP_ADDRESS.", Role.LABEL),),
        (),
    ]
    age = f" Last heard {duration(link.age_s)} ago." if link.age_s else ""
    return [*lines, (Span(f"Trying again all the while.{age}", Role.TEXT),)]
