"""Changes of every kind in random order, valid and invalid, under a random load. The seed decides it all."""

from __future__ import annotations

import random

from engine_harness.limit_operator import IDS, LimitOperator
from rblntopd.probe.control_format import UNSET, UNSET_CAP, Op


def change_at_random(operator: LimitOperator, chance: random.Random) -> None:
    """One thing that an operator may do, sensible or not."""
    state = operator.state
    hold = chance.choice((None, None, False, True))
    match chance.randrange(14):
        case 0 | 1:
            operator.set(max_num_seqs=chance.randint(state.floor, state.ceiling))
        case 2 | 3 | 4:
            operator.set(caps=_caps(operator, chance), hold=hold)
        case 5:
            operator.set(
                max_num_seqs=chance.choice((UNSET, chance.randint(1, state.ceiling + 2))),
                caps=_caps(operator, chance),
                hold=hold,
                validate_only=chance.random() < 0.3,
            )
        case 6 | 7:
            operator.set(
                max_num_seqs=chance.randint(state.floor, state.ceiling),
                caps=_caps(operator, chance),
                hold=hold,
                ttl_ms=chance.choice((1, 200, 2000, 60_000)),
                change_id=chance.choice((*IDS, "")),
            )
        case 8:
            operator.set(
                max_num_seqs=chance.randint(state.floor, state.ceiling),
                generation=operator.expected.generation + chance.choice((0, 0, 1)),
            )
        case 9 | 10:
            operator.end_trial(
                chance.choice((Op.CONFIRM, Op.CANCEL, Op.EXTEND)),
                chance.choice((*IDS, "")),
                chance.choice((0, 1000)),
            )
        case 11:
            operator.reset()
        case 12:
            operator.close(chance.choice((0, 1, 500)))
        case _:
            operator.open()


def run_at_random(operator: LimitOperator, seed: int, steps: int) -> None:
    """At least ``steps`` steps of load and changes; at the end everything finishes."""
    chance = random.Random(seed)
    while operator.judge.steps < steps:
        operator.send(chance, chance.randint(0, operator.state.start + 4))
        operator.run(chance.randint(1, 60))
        if chance.random() < 0.1:
            operator.abort(chance)
        if chance.random() < 0.03:
            operator.pause_as_vllm(1)
            operator.run(20)
            operator.pause_as_vllm(0)
        change_at_random(operator, chance)
        if operator.expected.closed and chance.random() < 0.7:
            operator.open()
    operator.finish()


def _caps(operator: LimitOperator, chance: random.Random) -> tuple[int, ...]:
    largest = operator.state.cap_ceiling
    kind = chance.random()
    if kind < 0.05:
        return (0,) * operator.engine.pp + (1,)
    if kind < 0.1:
        return (largest + 1,)
    return tuple(
        chance.choice((0, UNSET_CAP, chance.randint(1, largest), chance.randint(1, min(3, largest))))
        for _ in range(operator.engine.pp)
    )
