"""The ring reader is used without a daemon: it loads nothing but the standard library and the formats."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
before = set(sys.modules)
import rblntopd.engines.ring_reader
names = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(names - set(sys.stdlib_module_names)))
print(sorted(name for name in sys.modules if name.startswith("rblntopd.")))
"""


def test_the_ring_reader_loads_only_the_standard_library_and_the_probes_formats():
    output = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout
    others, ours = output.splitlines()
    assert others == "['rblntopd']"
    assert ours == str(
        [
            "rblntopd.engines",
            "rblntopd.engines.ring_file",
            "rblntopd.engines.ring_reader",
            "rblntopd.probe",
            "rblntopd.probe.ring_format",
            "rblntopd.probe.runtime_dir",
        ]
    )
