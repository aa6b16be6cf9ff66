"""The probe as a directory of its own, to be put on an engine's PYTHONPATH."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

import rblntopd.probe
from rblntopd.private_dir import make_private
from rblntopd.probe import __version__

_SOURCES = Path(rblntopd.probe.__file__).parent
# Other parts of rblntopd, where the engine's Python has them, must stay importable beside the probe.
_PACKAGE = '''"""The probe of rblntop, exported to be loaded by an engine."""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
'''
_METADATA = """Metadata-Version: 2.1
Name: rblntop
Version: {version}
Summary: The probe of rblntop
"""
_ENTRY_POINTS = """[vllm.general_plugins]
rblntop = rblntopd.probe.plugin:register
"""


def export_probe(directory: Path) -> None:
    """Write the probe and its entry point into ``directory``, over an older probe that is there.

    Raises:
        OSError: it cannot be written.
    """
    package = directory / "rblntopd"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(_PACKAGE)
    shutil.rmtree(package / "probe", ignore_errors=True)
    shutil.copytree(_SOURCES, package / "probe", ignore=shutil.ignore_patterns("__pycache__"))
    for old in directory.glob("rblntop-*.dist-info"):
        shutil.rmtree(old)
    info = directory / f"rblntop-{__version__}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(_METADATA.format(version=__version__))
    (info / "entry_points.txt").write_text(_ENTRY_POINTS)


def exported_probe(parent: Path) -> Path:
    """A directory below ``parent`` with this very probe; made at once or not at all, and used again.

    Engines that run keep importing from theirs, so a directory is never changed.

    Raises:
        OSError: it cannot be written, or others could have: the engine would run their code.
    """
    make_private(parent)
    digest = hashlib.sha256(_PACKAGE.encode())
    for source in sorted(_SOURCES.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    directory = parent / f"{__version__}-{digest.hexdigest()[:12]}"
    if directory.is_dir():
        make_private(directory)
        return directory
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    try:
        export_probe(made)
        os.rename(made, directory)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        if not directory.is_dir():  # Else somebody else was quicker.
            raise
    return directory
