"""The daemon's host, and the processes of an engine there."""

from __future__ import annotations

from rblntop.blocks.figure import title
from rblntop.model.host import HostUsage, ProcessRole, ProcessUsage
from rblntop.text.cells import clean
from rblntop.text.line import Line, Role, Span, fit
from rblntop.text.numbers import MISSING, count, known, percent

GIB = 2**30
#: Processes that are listed; of the rest there is the number.
MAX_LISTED = 32
_NAMES = {
    ProcessRole.API_SERVER: "API server",
    ProcessRole.ENGINE_CORE: "engine core",
    ProcessRole.WORKER: "worker",
    ProcessRole.UNKNOWN: "other",
}


def host_line(host: HostUsage | None) -> Line:
    """CPU and memory of the host, and of the engine in it."""
    head = Span("HOST  ", Role.TITLE)
    if host is None:
        return (head, Span(MISSING, Role.OFF))
    memory = f"{_gib(host.memory_used_bytes)} of {_gib(host.memory_total_bytes)} GiB"
    line: Line = (
        head, Span("cpu ", Role.LABEL), Span(percent(host.cpu_ratio), Role.TEXT),
        Span("  memory ", Role.LABEL), Span(memory, Role.TEXT),
    )  # fmt: skip
    if not host.processes:
        return line
    used = sum(process.memory_bytes for process in host.processes)
    return (
        *line, Span("  engine ", Role.LABEL), Span(f"{_cores(host.processes)} {_size(used)}", Role.TEXT),
    )  # fmt: skip


def process_lines(host: HostUsage | None, width: int) -> list[Line]:
    """A process a line; nothing where none is seen."""
    if host is None or not host.processes:
        return []
    lines: list[Line] = [title("PROCESSES", width)]
    for process in host.processes[:MAX_LISTED]:
        name = f"{_NAMES[process.role]} {clean(process.rank)}".rstrip()
        text = (
            f"{process.pid:>8}  {name:<24.24}  {percent_of_core(process.cpu_ratio):>7}"
            f"  {_size(process.memory_bytes):>10}  {count(process.threads):>5} threads"
        )
        lines.append(fit((Span(text, Role.TEXT),), width))
    if len(host.processes) > MAX_LISTED:
        lines.append(fit((Span(f"and {len(host.processes) - MAX_LISTED} more", Role.OFF),), width))
    return lines


def percent_of_core(ratio: float | None) -> str:
    """A share of one core, which a process with threads exceeds: ``412 %``."""
    if ratio is None or not known(ratio):
        return MISSING
    return f"{round(min(ratio, 9999) * 100)} %"


def _cores(processes: tuple[ProcessUsage, ...]) -> str:
    shares = [process.cpu_ratio for process in processes if process.cpu_ratio is not None]
    return percent_of_core(sum(shares)) if shares else MISSING


def _size(size: int) -> str:
    return f"{size / 2**20:.0f} MiB" if size < GIB else f"{_gib(size)} GiB"


def _gib(size: int) -> str:
    return f"{size / GIB:.1f}" if size < 1e6 * GIB else MISSING
