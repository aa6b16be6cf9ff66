"""Write the manual pages of our commands, from their own help: ``man_pages.py DIRECTORY``.

The date in them is that of ``$SOURCE_DATE_EPOCH`` where it is set, else today.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import sys
import time
from pathlib import Path

import click
from click_man.core import write_man_pages

from rblntop.cli.ctl import rblnctl
from rblntop.cli.lazy_group import LazyGroup
from rblntop.cli.main import rblntop
from rblntopd.cli import main as rblntopd

PROGRAMS: dict[str, click.Group] = {"rblntop": rblntop, "rblnctl": rblnctl, "rblntopd": rblntopd}


def load_all(group: click.Group) -> None:
    """Have a lazy group know its commands: pages are written for those."""
    if isinstance(group, LazyGroup):
        context = click.Context(group)
        for name in group.list_commands(context):
            if (command := group.get_command(context, name)) is not None:
                group.add_command(command, name)


def main(directory: Path) -> None:
    """Write every page into ``directory``, which is made."""
    directory.mkdir(parents=True, exist_ok=True)
    seconds = float(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
    date = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d")
    version = importlib.metadata.version("rblntop")
    for name, group in PROGRAMS.items():
        load_all(group)
        write_man_pages(name, group, version=version, target_dir=str(directory), date=date)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
