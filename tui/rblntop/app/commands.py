"""The palette: every action by its name."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from rblntop.actions import ACTIONS


class ActionProvider(Provider):
    """Finds what the operator can do. What an action refuses, it refuses here too, and says why."""

    async def discover(self) -> Hits:
        """All of it, in the order of the list."""
        for action in ACTIONS:
            run = partial(self.app.run_action, action.action)
            yield DiscoveryHit(self._display(action.sign, action.name), run, help=action.meaning)

    async def search(self, query: str) -> Hits:
        """By name and meaning."""
        matcher = self.matcher(query)
        for action in ACTIONS:
            score = max(matcher.match(action.name), matcher.match(action.meaning) * 0.8)
            if score > 0:
                run = partial(self.app.run_action, action.action)
                yield Hit(score, self._display(action.sign, action.name), run, help=action.meaning)

    @staticmethod
    def _display(sign: str, name: str) -> str:
        return f"{name}  ({sign})"
