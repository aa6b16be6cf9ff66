"""What an engine says about itself in its ring, with every value checked: it was written by somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rblntopd.engines.foreign_text import printable
from rblntopd.probe.ring_format import MAX_GROUPS

_UINT32 = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Control:
    """Whether one kind of limit can be changed on an engine."""

    available: bool
    reason: str
    """Why not; empty when available."""


@dataclass(frozen=True, slots=True)
class Description:
    """An engine's own account of itself. An unknown number is 0, an unknown text is empty."""

    name: str = ""
    instance_id: str = ""
    pid: int = 0
    model: str = ""
    vllm_version: str = ""
    vllm_rbln_version: str = ""
    probe_version: str = ""
    scheduler_class: str = ""
    pp_size: int = 1
    tp_size: int = 0
    dp_size: int = 0
    dp_rank: int = 0
    batch_queue_depth: int = 1
    group_count: int = 1
    max_num_seqs: int = 0
    max_num_batched_tokens: int = 0
    max_model_len: int = 0
    block_size: int = 0
    num_blocks: int = 0
    decode_buckets: tuple[int, ...] = ()
    simulated: bool = False
    padding_is_local: bool = False
    control_socket: str = ""
    """File name in the ring's directory; empty: the engine takes no questions."""
    max_num_seqs_control: Control = Control(False, "the engine does not offer it")
    group_cap_control: Control = Control(False, "the engine does not offer it")
    admission_control: Control = Control(False, "the engine does not offer it")
    notice: str = ""


def from_json(found: Mapping[str, Any]) -> Description:
    """``found`` as a description: what is missing or of the wrong type keeps its default."""
    pp_size = _number(found, "pp_size", 1, 1)
    control_socket = _text(found, "control_socket")
    controls = found.get("controls")
    controls = controls if isinstance(controls, dict) else {}
    return Description(
        name=_text(found, "name"),
        instance_id=_text(found, "instance_id"),
        pid=_number(found, "pid"),
        model=_text(found, "model"),
        vllm_version=_text(found, "vllm_version"),
        vllm_rbln_version=_text(found, "vllm_rbln_version"),
        probe_version=_text(found, "probe_version"),
        scheduler_class=_text(found, "scheduler_class"),
        pp_size=pp_size,
        tp_size=_number(found, "tp_size"),
        dp_size=_number(found, "dp_size"),
        dp_rank=_number(found, "dp_rank"),
        batch_queue_depth=_number(found, "batch_queue_depth", pp_size, 1),
        group_count=min(_number(found, "group_count", pp_size, 1), MAX_GROUPS),
        max_num_seqs=_number(found, "max_num_seqs"),
        max_num_batched_tokens=_number(found, "max_num_batched_tokens"),
        max_model_len=_number(found, "max_model_len"),
        block_size=_number(found, "block_size"),
        num_blocks=_number(found, "num_blocks"),
        decode_buckets=_buckets(found.get("decode_buckets")),
        simulated=found.get("simulated") is True,
        padding_is_local=found.get("padding_is_local") is True,
        # A name with a slash would lead out of the directory that was checked.
        control_socket="" if "/" in control_socket or control_socket in (".", "..") else control_socket,
        max_num_seqs_control=_control(controls.get("max_num_seqs")),
        group_cap_control=_control(controls.get("group_cap")),
        admission_control=_control(controls.get("admission")),
        notice=_text(found, "notice"),
    )


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    return printable(value[:1024]) if isinstance(value, str) else ""


def _is_number(value: Any, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= _UINT32


def _number(found: Mapping[str, Any], key: str, default: int = 0, least: int = 0) -> int:
    value = found.get(key)
    return int(value) if value is not None and _is_number(value, least) else default


def _buckets(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > 4096:
        return ()
    return tuple(sorted({bucket for bucket in value if _is_number(bucket, 1)}))


def _control(value: Any) -> Control:
    if not isinstance(value, dict):
        return Control(False, "the engine does not offer it")
    available = value.get("available") is True
    reason = _text(value, "reason")
    return Control(available, "" if available else reason or "the engine gives no reason")
