"""The part of rblntop that runs inside the engine. Standard library only."""

__version__ = "0.1.0"
