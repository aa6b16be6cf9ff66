"""What the engine's thread writes down in every step: two plain tuples, to be read later.

Between two steps of an engine the caches are cold, and the same code costs several times what it costs in a
loop. So a step only appends here, and the recorder reads some steps at once. At most ``READ_AT`` entries, or
a tenth of a second, are unread; steps that bring in or resume requests, and empty ones, are read at once,
because there the recorder needs the scheduler's state as the step left it.
"""

from __future__ import annotations

from typing import Any

Scheduled = tuple[Any, Any, Any, Any, Any, Any, int, Any, int, int, int, int, int, Any]
"""Id of the output; its tokens by request, new requests, resumed ids, cached ids and their computed tokens
before the step, tokens, preempted ids; ``schedule()`` started and ended ns, running, waiting, the limit,
pause state. Parts of the output and not the output itself, which is large: its end is the engine's business.
"""

Completed = tuple[int, int, int, int]
"""Id of the output, arrived ns, requests that finished, unfinished requests after it."""

COMPLETED_FIELDS = 4

#: Two entries a step: up to eight steps.
READ_AT = 16

StepLog = list[Scheduled | Completed]
