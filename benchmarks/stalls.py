"""How long one callback holds the event loop at most.

All that a loop of asyncio runs goes through `Handle._run`, so timing that misses
nothing. The wall clock includes what else the machine did meanwhile, and the CPU clock
of the thread does not see a read that blocks. So a hold is the wall clock less the time
in which the thread was ready to run and others ran, which Linux tells.
"""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import attrs


@attrs.define
class Stalls:
    """The longest so far, in seconds.

    Attributes:
        wall: By the wall clock.
        held: The same, less what others ran meanwhile.
        without_collector: The same, less what the garbage collector took.
        collection: Of the garbage collector, less what others ran.
        callbacks: How many were timed.
    """

    wall: float = 0.0
    held: float = 0.0
    without_collector: float = 0.0
    collection: float = 0.0
    callbacks: int = 0
    _waited: Callable[[], float] = lambda: 0.0
    _began: float = 0.0
    _collected: float = 0.0
    _is_on: bool = False

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        """Time every callback meanwhile, to its end and not beyond."""
        callback: Any = asyncio.Handle
        run = callback._run  # noqa: SLF001  # what every callback goes through
        clock = time.perf_counter
        waited, close = _waited()
        self._waited = waited

        def timed(handle: asyncio.Handle) -> None:
            before, collected, began = waited(), self._collected, clock()
            run(handle)
            self.callbacks += 1
            if (took := clock() - began) > 0.001 and self._is_on:
                held = took - (waited() - before)
                own = held - (self._collected - collected)
                self.wall = max(self.wall, took)
                self.held = max(self.held, held)
                self.without_collector = max(self.without_collector, own)

        callback._run = timed  # noqa: SLF001
        gc.callbacks.append(self._collecting)
        await asyncio.sleep(0)
        self._is_on = True
        try:
            yield
            await asyncio.sleep(0)
        finally:
            self._is_on = False
            gc.callbacks.remove(self._collecting)
            callback._run = run  # noqa: SLF001
            close()

    def figures(self) -> dict[str, Any]:
        """Return them, in milliseconds."""
        return {
            "stall": 1e3 * self.held,
            "stall_wall": 1e3 * self.wall,
            "stall_own": 1e3 * self.without_collector,
            "stall_gc": 1e3 * self.collection,
            "callbacks": self.callbacks,
        }

    def _collecting(self, phase: str, _: dict[str, int]) -> None:
        now = time.perf_counter() - self._waited()
        if phase == "start":
            self._began = now
        else:
            self._collected += now - self._began
            self.collection = max(self.collection, now - self._began)


def _waited() -> tuple[Callable[[], float], Callable[[], None]]:
    """Return what tells how long this thread was ready and did not run, and an end."""
    file = -1
    with suppress(OSError):
        file = os.open("/proc/thread-self/schedstat", os.O_RDONLY)

    def waited() -> float:
        return int(os.pread(file, 64, 0).split()[1]) / 1e9 if file >= 0 else 0.0

    return waited, lambda: os.close(file) if file >= 0 else None
