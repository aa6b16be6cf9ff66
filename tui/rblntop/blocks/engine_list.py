"""The engines that a daemon knows, one a line."""

from __future__ import annotations

from collections.abc import Sequence

from rblntop.model import Engine
from rblntop.text.cells import clean, left, right
from rblntop.text.durations import clock
from rblntop.text.numbers import count
from rblntop.text.words import STATE

NONE_YET = "No engine yet. Start one with `rblntopd run -- vllm serve ...`, or install rblntop beside vLLM."


def engine_list(engines: Sequence[Engine]) -> list[str]:
    """A table of engines, or how to attach the first one."""
    if not engines:
        return [NONE_YET]
    names = [clean(engine.name) for engine in engines]
    models = [clean(engine.model) or "--" for engine in engines]
    name_width = max(6, *(len(name) for name in names))
    model_width = min(40, max(5, *(len(model) for model in models)))
    lines = [
        f"{left('ENGINE', name_width)}  STATE       PID  PP TP DP    SEQS  "
        f"{left('MODEL', model_width)}  {left('VLLM', 10)} {left('VLLM-RBLN', 10)} SINCE"
    ]
    for engine, name, model in zip(engines, names, models, strict=True):
        lines.append(
            f"{left(name, name_width)}  {left(STATE[engine.state], 8)} {right(str(engine.pid or '--'), 6)}  "
            f"{engine.pp_size:>2} {engine.tp_size:>2} {left(f'{engine.dp_rank}/{engine.dp_size}', 4)} "
            f"{right(count(engine.max_num_seqs), 5)}  {left(model, model_width)}  "
            f"{left(clean(engine.vllm_version) or '--', 10)} "
            f"{left(clean(engine.vllm_rbln_version) or '--', 10)} {clock(engine.started_at_s)}"
        )
    lines += [f"{clean(engine.name)}: {clean(engine.notice)}" for engine in engines if engine.notice]
    return lines
