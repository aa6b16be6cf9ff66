"""vLLM with the scheduler of vllm-rbln on a host without an NPU: ``python -m rblntopd.sim.serve_on_cpu``.

Takes the options of ``vllm serve`` and sets what an RBLN host would bring along: the scheduler class, its
options as ``RBLNConfig`` (on a real host the RBLN platform turns ``--additional-config`` into one, and that
platform needs the NPU's compiler), synchronous scheduling, and how the CPU build of vLLM must be told to
run a pipeline. With ``--simulated-npu`` the model is not computed: see ``npu_executor``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from typing import Any

RBLN_SCHEDULER = "vllm_rbln.v1.core.rbln_scheduler.RBLNScheduler"
COMPILATION = '{"mode": 2, "backend": "eager"}'
"""Not ``--enforce-eager``: with it the CPU runner lacks the tensors between pipeline stages."""
SIMULATED_NPU = "--simulated-npu"


def prepare_environment(environ: MutableMapping[str, str], pipeline_size: int) -> None:
    """Set what vLLM's CPU build reads from the environment, where it is not set already."""
    # All plugins but vllm-rbln's platform, which imports the NPU's compiler. Never do this on an RBLN host.
    environ.setdefault("VLLM_PLUGINS", "rblntop")
    environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    # One list of cores a worker: without it, a pipeline on one NUMA node fails an assertion.
    cores = sorted(os.sched_getaffinity(0))
    lists = [str(cores[stage % len(cores)]) for stage in range(pipeline_size)]
    environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "|".join(lists))


def parse(argv: list[str]) -> Any:
    """The arguments of ``vllm serve``, completed."""
    from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
    from vllm.utils.argparse_utils import FlexibleArgumentParser
    from vllm_rbln.config import RBLNConfig

    parser = make_arg_parser(FlexibleArgumentParser(prog="rblntopd.sim.serve_on_cpu"))
    parser.add_argument(SIMULATED_NPU, action="store_true")
    parser.set_defaults(scheduler_cls=RBLN_SCHEDULER, async_scheduling=False)
    arguments = parser.parse_args(["--compilation-config", COMPILATION, *argv])
    validate_parsed_serve_args(arguments)
    # The configuration is an argument already here, so that its class travels to the engine by pickle.
    arguments.additional_config = RBLNConfig(**arguments.additional_config)
    if arguments.simulated_npu:
        from rblntopd.sim.npu_executor import SimulatedNpuExecutor

        arguments.distributed_executor_backend = SimulatedNpuExecutor
    return arguments


def main(argv: list[str]) -> None:
    """Serve until told to stop."""
    size_option = ("--pipeline-parallel-size", "-pp")
    sizes = [argv[i + 1] for i, word in enumerate(argv[:-1]) if word in size_option]
    prepare_environment(os.environ, int(sizes[-1]) if sizes else 1)
    from vllm.entrypoints.cli.serve import ServeSubcommand

    ServeSubcommand.cmd(parse(argv))


if __name__ == "__main__":
    main(sys.argv[1:])
