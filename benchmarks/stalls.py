"""How long one callback holds the event loop at most.

All that a loop of asyncio runs goes through `Handle._run`, so timing that misses
nothing, and costs less than a microsecond a callback. The wall clock includes what else
the machine did meanwhile; the CPU clock of the thread does not, but it does not see a
read that blocks either. So both are told, and garbage collection by itself.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import attrs


@attrs.define
class Stalls:
    """The longest so far, in seconds.

    Attributes:
        wall: By the wall clock.
        used: By the thread's CPU clock, of the callbacks above a millisecond.
        collection: Of the garbage collector.
        callbacks: How many were timed.
    """

    wall: float = 0.0
    used: float = 0.0
    collection: float = 0.0
    callbacks: int = 0
    _began: float = 0.0
    _is_on: bool = False

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        """Time every callback meanwhile, to its end and not beyond."""
        callback: Any = asyncio.Handle
        run = callback._run  # noqa: SLF001  # what every callback goes through
        clock, used_clock = time.perf_counter, time.thread_time

        def timed(handle: asyncio.Handle) -> None:
            began, used = clock(), used_clock()
            run(handle)
            self.callbacks += 1
            if (took := clock() - began) > 0.001 and self._is_on:
                self.wall = max(self.wall, took)
                self.used = max(self.used, used_clock() - used)

        callback._run = timed  # noqa: SLF001
        gc.callbacks.append(self._collected)
        await asyncio.sleep(0)
        self._is_on = True
        try:
            yield
            await asyncio.sleep(0)
        finally:
            self._is_on = False
            gc.callbacks.remove(self._collected)
            callback._run = run  # noqa: SLF001

    def figures(self) -> dict[str, Any]:
        """Return them, in milliseconds."""
        return {
            "stall": 1e3 * self.wall,
            "stall_cpu": 1e3 * self.used,
            "stall_gc": 1e3 * self.collection,
            "callbacks": self.callbacks,
        }

    def _collected(self, phase: str, _: dict[str, int]) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._began = now
        else:
            self.collection = max(self.collection, now - self._began)
