"""Judges the host: its NPUs, and its clock against the daemon's."""

from __future__ import annotations

from rblntop.doctor.facts import Facts
from rblntop.doctor.finding import Finding, note, ok, problem

CLOCK_TOLERANCE_S = 1.0
"""Ages of data are shown in seconds."""


def judge_devices(facts: Facts) -> list[Finding]:
    """The device nodes and the driver's daemon."""
    devices = facts.devices
    count = len(devices.nodes)
    driver = f"the RBLN driver daemon at {devices.driver_address}"
    shut = [path for path, readable in devices.nodes if not readable]
    found: list[Finding] = []
    if not count:
        found.append(note("host", "no RBLN NPU (/dev/rbln*): engines here are simulated, or run on the CPU"))
        if not devices.driver_error:
            found.append(
                note("host", f"{devices.driver_address}, the RBLN driver daemon's, answers all the same")
            )
        return found
    text = f"{count} RBLN device node{'s' * (count != 1)}, from {devices.nodes[0][0]} on"
    found.append(ok("host", text))
    if shut:
        found.append(note("host", f"{facts.user} may not open {', '.join(shut)}", f"ls -l {shut[0]}"))
    if devices.driver_error:
        text = f"{driver} does not answer: {devices.driver_error}"
        found.append(problem("host", text, "systemctl list-units --all 'rbln*'   # and start what is dead"))
    else:
        found.append(ok("host", f"{driver} answers"))
    return found


def judge_clock(facts: Facts) -> list[Finding]:
    """Times of events and changes are the daemon's."""
    ahead_s, daemon = facts.daemon.clock_ahead_s, facts.daemon
    if daemon.error or daemon.is_local or ahead_s is None:
        return []  # One host has one clock; and without an engine nothing shows the daemon's.
    if abs(ahead_s) - daemon.clock_uncertainty_s / 2 > CLOCK_TOLERANCE_S:
        side = "ahead of" if ahead_s > 0 else "behind"
        text = f"the daemon's clock is {abs(ahead_s):.1f} s {side} ours"
        return [problem("clock", text, "timedatectl set-ntp true   # on the host that is wrong")]
    return [ok("clock", f"the daemon's clock and ours agree to {max(abs(ahead_s), 0.001):.3f} s")]
