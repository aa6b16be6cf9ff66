"""What SIGHUP brings into force of a configuration that was read again."""

from __future__ import annotations

import logging
from dataclasses import replace

from rblntopd.config.config import Config

logger = logging.getLogger(__name__)


def in_force(config: Config, found: Config) -> Config:
    """``config`` with what can be taken from ``found``; what takes a restart is logged."""
    values, sources = dict(config.values), dict(config.sources)
    changed, waiting = [], []
    for key in config.changed(found):
        if key.reloaded:
            values[key.name] = found.values[key.name]
            sources[key.name] = found.sources[key.name]
            changed.append(key.name)
        else:
            waiting.append(key.name)
    logger.info("reloaded %s: %s", config.path, ", ".join(changed) or "nothing is new")
    if waiting:
        logger.warning("a restart is needed to bring into force: %s", ", ".join(waiting))
    return replace(config, values=values, sources=sources)
