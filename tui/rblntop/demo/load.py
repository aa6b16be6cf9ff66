"""A varied, bounded load on an OpenAI endpoint on loopback: users come and go, and write short and long."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass

WAVE_SECONDS = 40.0
"""The number of users falls and rises once in this time, so that there is something to see."""
WORDS = ("pipeline", "group", "batch", "prefill", "decode", "bucket", "slot", "step", "cap", "queue")


@dataclass(frozen=True)
class Users:
    """How many there are, and what they ask for."""

    fewest: int
    most: int
    prompt_bytes: tuple[int, int]
    """Shortest and longest; one token a byte."""
    output_tokens: tuple[int, int]
    """Shortest and longest."""


class DemoLoad:
    """Users, each a thread with one request at a time. Use it in a ``with`` block."""

    def __init__(self, port: int, model: str, users: Users, seed: int = 0) -> None:
        """Of the same ``seed`` they ask for the same."""
        self._port = port
        self._model = model
        self._asked = users
        self._seed = seed
        self._over = threading.Event()
        self._started_s = time.monotonic()
        self._users = [
            threading.Thread(target=self._use, args=(number,), daemon=True) for number in range(users.most)
        ]

    def __enter__(self) -> DemoLoad:
        for user in self._users:
            user.start()
        return self

    def __exit__(self, *exception: object) -> None:
        # Requests under way are given up when the process ends.
        self._over.set()

    def _active_users(self) -> int:
        """A triangle wave between the fewest and the most."""
        phase = (time.monotonic() - self._started_s) / WAVE_SECONDS % 1.0
        share = abs(1.0 - 2.0 * phase)
        return round(self._asked.fewest + share * (self._asked.most - self._asked.fewest))

    def _use(self, number: int) -> None:
        chance = random.Random(f"{self._seed}.{number}")
        while not self._over.wait(chance.uniform(0.0, 1.0)):
            if number >= self._active_users():
                continue
            try:
                self._complete(chance)
            except (OSError, http.client.HTTPException):
                # The engine is gone or busy ending; the demo's own loop says so.
                self._over.wait(1.0)

    def _complete(self, chance: random.Random) -> None:
        length = chance.randint(*self._asked.prompt_bytes)
        prompt = " ".join(chance.choices(WORDS, k=length // 4 + 1))[:length]
        body = {
            "model": self._model,
            "prompt": prompt,
            "max_tokens": chance.randint(*self._asked.output_tokens),
            "ignore_eos": True,
        }
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        try:
            connection.request(
                "POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"}
            )
            connection.getresponse().read()
        finally:
            connection.close()
