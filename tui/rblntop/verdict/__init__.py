"""The first line of the screen: the one thing to know, from an ordered list of rules."""

from rblntop.verdict.rules import RULES, judge
from rblntop.verdict.verdict import Level, Remedy, Verdict

__all__ = ["RULES", "Level", "Remedy", "Verdict", "judge"]
