"""KV memory in blocks: who holds how many, and how many are free."""

from __future__ import annotations

from rblntopd.sim.engine.request import Request


class KVBlocks:
    """Decides as ``vllm.v1.core.kv_cache_manager.KVCacheManager``, with full attention and no prefix caching.

    Then no block has an identity that matters, and counting is enough. One block, the null block, is never
    given out.
    """

    def __init__(self, num_blocks: int, block_size: int) -> None:
        self.block_size = block_size
        self._usable = num_blocks - 1
        self.num_free = self._usable

    @property
    def usage(self) -> float:
        """Share of the blocks in use, 0..1."""
        return 1.0 - self.num_free / self._usable if self._usable else 0.0

    def fits(self, num_tokens: int) -> bool:
        """Whether a request that holds nothing yet could get blocks for ``num_tokens``."""
        return -(-num_tokens // self.block_size) <= self.num_free

    def allocate(self, request: Request, num_tokens: int) -> bool:
        """Give ``request`` the blocks it lacks for ``num_tokens``; False, and none, if too few are free."""
        lacking = -(-num_tokens // self.block_size) - request.num_blocks
        if lacking <= 0:
            return True
        if lacking > self.num_free:
            return False
        request.num_blocks += lacking
        self.num_free -= lacking
        return True

    def free(self, request: Request) -> None:
        """Take all blocks of ``request`` back."""
        self.num_free += request.num_blocks
        request.num_blocks = 0
