"""The probe lives in the engine's environment, which has none of our dependencies."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
before = set(sys.modules)
import rblntopd.probe, rblntopd.probe.plugin, rblntopd.probe.attach, rblntopd.probe.scheduler_class
foreign = {
    name.partition(".")[0] for name in set(sys.modules) - before
} - set(sys.stdlib_module_names) - {"rblntopd"}
print(sorted(foreign))
"""


def test_the_probe_loads_nothing_outside_the_standard_library() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
