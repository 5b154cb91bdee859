"""How long one callback holds the event loop at most.

All that a loop of asyncio runs goes through `Handle._run`, so timing that misses
nothing. The wall clock includes what else the machine did meanwhile, and the CPU clock
of the thread does not see a read that blocks. So a hold is the wall clock less the time
in which the thread was ready to run and others ran, which Linux tells; and where the
thread has not slept, which Linux tells too, it is the CPU clock: what is missing there
is the time in which a hypervisor ran another machine.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, NamedTuple

import attrs


THREAD: Final = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)


class Moment(NamedTuple):
    """What the clocks show.

    Attributes:
        wall: The wall clock.
        waited: How long the thread was ready so far, and did not run.
        ran: How long it ran.
        sleeps: How often it slept.
    """

    wall: float
    waited: float
    ran: float
    sleeps: int

    def held_since(self, before: Moment) -> float:
        """Return the seconds in which the thread let nothing else run."""
        if self.sleeps == before.sleeps:
            return self.ran - before.ran
        return self.wall - before.wall - (self.waited - before.waited)


NEVER: Final = Moment(0.0, 0.0, 0.0, 0)


@attrs.define
class Stalls:
    """The longest so far, in seconds.

    Attributes:
        wall: By the wall clock.
        held: The same, less what others ran meanwhile, here or on the same host.
        without_collector: The same, less what the garbage collector took.
        collection: Of the garbage collector, less what others ran.
        callbacks: How many were timed.
    """

    wall: float = 0.0
    held: float = 0.0
    without_collector: float = 0.0
    collection: float = 0.0
    callbacks: int = 0
    _now: Callable[[], Moment] = lambda: NEVER
    _began: Moment = NEVER
    _collected: float = 0.0
    _is_on: bool = False

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        """Time every callback meanwhile, to its end and not beyond."""
        callback: Any = asyncio.Handle
        run = callback._run  # noqa: SLF001  # what every callback goes through
        now, close = _clocks()
        self._now = now

        def timed(handle: asyncio.Handle) -> None:
            collected, before = self._collected, now()
            run(handle)
            self.callbacks += 1
            if self._is_on:
                after = now()
                held = after.held_since(before)
                own = held - (self._collected - collected)
                self.wall = max(self.wall, after.wall - before.wall)
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
        now = self._now()
        if phase == "start":
            self._began = now
        else:
            took = now.held_since(self._began)
            self._collected += took
            self.collection = max(self.collection, took)


def _clocks() -> tuple[Callable[[], Moment], Callable[[], None]]:
    """Return what reads the clocks of this thread, and an end."""
    file = -1
    with suppress(OSError):
        file = os.open("/proc/thread-self/schedstat", os.O_RDONLY)

    def now() -> Moment:
        waited = int(os.pread(file, 64, 0).split()[1]) / 1e9 if file >= 0 else 0.0
        slept = resource.getrusage(THREAD).ru_nvcsw
        return Moment(time.perf_counter(), waited, time.thread_time(), slept)

    return now, lambda: os.close(file) if file >= 0 else None
