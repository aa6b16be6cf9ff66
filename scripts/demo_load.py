"""A varied, bounded load on an OpenAI endpoint on loopback: users come and go, and write short and long."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time

MOST_USERS = 12
FEWEST_USERS = 3
WAVE_SECONDS = 40.0
"""The number of users falls and rises once in this time, so that there is something to see."""
PROMPT_BYTES = (20, 400)
"""One token a byte."""
OUTPUT_TOKENS = (20, 250)
WORDS = ("pipeline", "group", "batch", "prefill", "decode", "bucket", "slot", "step", "cap", "queue")


class DemoLoad:
    """Users, each a thread with one request at a time. Use it in a ``with`` block."""

    def __init__(self, port: int, model: str) -> None:
        self._port = port
        self._model = model
        self._over = threading.Event()
        self._started_s = time.monotonic()
        self._users = [
            threading.Thread(target=self._use, args=(number,), daemon=True) for number in range(MOST_USERS)
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
        return round(FEWEST_USERS + share * (MOST_USERS - FEWEST_USERS))

    def _use(self, number: int) -> None:
        chance = random.Random(number)
        while not self._over.wait(chance.uniform(0.0, 1.0)):
            if number >= self._active_users():
                continue
            try:
                self._complete(chance)
            except (OSError, http.client.HTTPException):
                # The engine is gone or busy ending; the demo's own loop says so.
                self._over.wait(1.0)

    def _complete(self, chance: random.Random) -> None:
        length = chance.randint(*PROMPT_BYTES)
        prompt = " ".join(chance.choices(WORDS, k=length // 4 + 1))[:length]
        body = {
            "model": self._model,
            "prompt": prompt,
            "max_tokens": chance.randint(*OUTPUT_TOKENS),
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
