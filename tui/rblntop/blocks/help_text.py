"""What every number means, for ``?``."""

from __future__ import annotations

from rblntop.actions import ACTIONS
from rblntop.blocks.figure import title
from rblntop.text.cells import left
from rblntop.text.line import Line, Role, Span
from rblntop.text.wrap import wrapped

SECTIONS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("KEYS", tuple((action.sign, action.meaning) for action in ACTIONS)),
    (
        "CHANGES",
        (
            ("try, Enter", "the change is made, and undone by itself 10 minutes after it has settled"),
            ("K, U", "keep the trial, undo it; nothing pressed: it is undone. Whoever began it"),
            ("Ctrl+K", "make the change without a trial"),
            (
                "571 -> 703 tok/s",
                "output tokens a second in the minute before the trial, and in the one after it has settled; "
                "not comparable when more or fewer requests came, unless some waited all the while",
            ),
            (
                "last 60 s",
                "what the steps of the last minute would have been under the new limits",
            ),
            (
                "asks for generation",
                "the change is for the limits that you saw: if somebody moved them it is refused",
            ),
            ("✓", "a marked engine: M and G change all marked engines, on all of them or on none"),
        ),
    ),
    (
        "GROUPS",
        (
            (
                "group",
                "a virtual engine: requests that ride the in-flight batches together. It is "
                "neither an NPU nor a pipeline stage; every group passes through all stages",
            ),
            (
                "run",
                "running requests that were last scheduled in this group; the groups sum to `running`",
            ),
            ("decode batch", "requests in the latest decode batch / the compiled bucket that it ran in"),
            (
                "pad",
                "sum(bucket - batch) / sum(bucket) over the decode steps of the window: compute "
                "that is wasted",
            ),
            (
                "gap",
                "median time between two decode completions: the inter-token latency its requests see",
            ),
            (
                "cap",
                "largest decode batch of the group; `2 of 8` is set to 2 where 8 is possible, `2 ◀ 5` drains",
            ),
            (
                "strip",
                "one cell a second, the newest at the right. Height is batch / bucket, P where more than "
                "half of the second was prefill, · where the slot was empty, blank where nothing is known",
            ),
        ),
    ),
    (
        "REQUESTS AND SPEED",
        (
            ("running", "requests in the scheduler's running list, of what the limits admit"),
            ("waiting, oldest", "requests not yet admitted, and how long the first of them has waited"),
            ("held by", "why the latest step admitted no further request"),
            ("token gap", "as gap, over all groups: half of the tokens, and 99 of 100, come within"),
            ("queue wait p99", "99 of 100 requests are scheduled for the first time within"),
        ),
    ),
    (
        "PIPELINE",
        (
            (
                "queue full",
                "share of the batch queue's slots that held a batch: an upper bound of how busy "
                "the stages are",
            ),
            (
                "stage busy ~",
                "estimate of how busy the stages are, from the step times learned per batch shape",
            ),
            (
                "empty",
                "the largest cause of empty slots: few reqs, our limit, prefill, blocked (KV "
                "space), closed, or collapse: requests enough, but packed into too few batches",
            ),
            ("prefill stall", "slot time of lone prefills while decodes were ready to run"),
            ("padding", "as pad, over all groups"),
        ),
    ),
    (
        "MEMORY AND LENGTH",
        (
            ("KV blocks", "share of the KV cache that is in use"),
            ("preempted", "requests thrown back to waiting in the window, for want of KV blocks"),
            ("max_seq_len", "longest sequence in the latest batch, its new tokens included"),
            ("max_model_len", "longest sequence that the engine accepts"),
            ("max_num_batched_tokens", "tokens that one step may process"),
        ),
    ),
    (
        "LIMITS",
        (
            (
                "target",
                "what was asked for; unset: nobody has, and that part of the scheduler is as shipped",
            ),
            ("ceiling", "what the engine was started and compiled with: no limit can go above it"),
            (
                "draining",
                "running requests go on, nothing is preempted; they are not replaced until running fits",
            ),
            ("accepted", "stored under the scheduler's lock"),
            ("in force", "the first schedule() ran under it; the step number says which"),
            ("settled", "running has come down to the target"),
            ("generation", "counts accepted changes; 0 is the engine as shipped"),
            (
                "on trial",
                "undone by itself when its time is up, unless kept; the time runs from when it has settled",
            ),
            ("HOLD, held", "group caps bind at once, and running requests beyond them take turns"),
            (
                "admission CLOSED",
                "waiting requests are not admitted; drained once the running ones finished",
            ),
        ),
    ),
    (
        "GRAPHS AND CHANGES",
        (
            ("▒ ──", "an area and a line: two figures on one scale, whose end stands in the first row"),
            ("◆7", "the change of limits that made generation 7, in the graphs and in the log"),
            (
                "703 -> 571 tok/s",
                "the mean of the minute before a change, and of the minute after it had settled",
            ),
            ("cost of watching", "the probe's time on the engine's thread, and the daemon's share of a core"),
        ),
    ),
    (
        "SIGNS",
        (
            ("● ◆ ▲ ■", "all is well; could be better; requests wait for it; act now"),
            ("--", "not known: never shown as 0"),
            ("STALE", "the daemon is away, and the figures are as old as it says"),
            ("PAUSED", "the figures stand still because of p; what comes is not lost"),
            ("RESTARTED", "another process serves under this name, with the limits of its start"),
            ("SIMULATED", "there is no device below this engine"),
        ),
    ),
)

REPLAY_SECTION: tuple[str, tuple[tuple[str, str], ...]] = (
    "REPLAY",
    (
        ("space p", "pause, or go on; at the end from the beginning"),
        (". ,", "the next snapshot, the one before; both pause"),
        ("] [  → ←", "10 s on, 10 s back; with Shift and an arrow a minute"),
        ("+ -", "faster, slower: 0.25 to 64 times"),
        ("Home End", "to the beginning, to the end"),
        ("M G ...", "change nothing: what a recording shows has happened"),
    ),
)

TERM = 24


def help_text(width: int, *first: tuple[str, tuple[tuple[str, str], ...]]) -> list[Line]:
    """The help in lines of ``width`` cells, after sections that come first."""
    lines: list[Line] = []
    for heading, terms in (*first, *SECTIONS):
        lines += [title(heading, width)]
        for term, meaning in terms:
            for row, part in enumerate(wrapped(meaning, width - TERM)):
                lines.append((Span(left(term if row == 0 else "", TERM), Role.STRONG), Span(part, Role.TEXT)))
        lines.append(())
    return lines[:-1]
