"""A sim engine put together: scenario, scheduler with or without the probe, device, clients."""

from __future__ import annotations

from typing import Any

from rblntopd.probe.control_format import Op, Request
from rblntopd.probe.plugin import mode
from rblntopd.probe.probe import Probe
from rblntopd.probe.scheduler_class import probed
from rblntopd.sim.engine import vllm_names
from rblntopd.sim.engine.arrivals import merged
from rblntopd.sim.engine.buckets import decode_buckets
from rblntopd.sim.engine.core import EngineCore
from rblntopd.sim.engine.device import NEVER_NS, Device
from rblntopd.sim.engine.front_end import FrontEnd
from rblntopd.sim.engine.rbln_scheduler import RBLNScheduler
from rblntopd.sim.engine.scenarios import Scenario
from rblntopd.sim.pipeline import StageTimes
from rblntopd.sim.sim_clock import SimClock

LOOK_NS = 50_000_000
"""An engine without work looks for it so often: admission may have been opened."""
REST_NS = 1_000_000
"""After an empty step the loop rests so long (vllm.v1.engine.core.EngineCoreProc._process_engine_step)."""


class SimEngine:
    """One engine in one scenario. :meth:`turn` is one turn of its loop."""

    def __init__(
        self,
        scenario: Scenario,
        clock: SimClock,
        *,
        seed: int = 0,
        times: StageTimes | None = None,
        with_probe: bool = True,
    ) -> None:
        """Make it; with the probe, ring and control socket appear in the runtime directory.

        Raises:
            RuntimeError: the real vLLM is loaded in this process, where the probe would look at that.
        """
        config, kind = scenario.config, scenario.scheduler
        self.clock = clock
        if with_probe and mode() != "off":
            vllm_names.install()
            kind = probed(kind)
        started_ns = clock.now_ns()
        hangs_ns = NEVER_NS
        if scenario.hangs_after_s is not None:
            hangs_ns = started_ns + int(scenario.hangs_after_s * 1e9)
        compiled = decode_buckets(config) if issubclass(kind, RBLNScheduler) else []
        device = Device(
            config.parallel_config.pipeline_parallel_size, times or StageTimes(), compiled, hangs_ns
        )
        self.core = EngineCore(kind, config, device, clock)
        self.scheduler: Any = self.core.scheduler
        self.probe: Probe | None = getattr(self.scheduler, "_rblntop", None)
        """None where the probe is off."""
        self.front_end = FrontEnd(self.scheduler, merged(scenario.traffic, seed), started_ns)
        if self.probe is not None and scenario.group_caps:
            caps = Request(
                Op.SET_LIMITS, 0, group_caps=scenario.group_caps, caller="scenario", reason=scenario.name
            )
            self.probe.ask_directly(caps)

    def turn(self) -> None:
        """Take in what has come, then make a step, or wait for something to come."""
        now_ns = self.clock.now_ns()
        self.front_end.deliver(now_ns)
        if self.core.busy:
            if not self.core.step() and self.scheduler.has_requests():
                self.clock.wait_until(self.clock.now_ns() + REST_NS)
            return
        due_ns = self.front_end.due_ns
        look_ns = now_ns + LOOK_NS
        self.clock.wait_until(look_ns if due_ns is None else min(due_ns, look_ns))

    def shutdown(self) -> None:
        """End in order."""
        self.scheduler.shutdown()
