"""The first line of the screen: the one thing to know, from an ordered list of rules."""

from rblntop.verdict.rules import RULES, holding, judge
from rblntop.verdict.verdict import Figure, Level, Remedy, Verdict

__all__ = ["RULES", "Figure", "Level", "Remedy", "Verdict", "holding", "judge"]
