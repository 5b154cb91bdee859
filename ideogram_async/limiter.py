"""The gate: a semaphore over places, one per image in progress.

Its size is learnt from the service (see `_learning`), and waiters are served in order
(see `_queue`). A place is taken for one attempt and given back before any sleep, and
nothing that holds a place may wait for another.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque

import attrs

from ._gate import checked_places, down
from ._learning import LearntLimit, Lease, Verdict
from ._queue import next_in


@attrs.define(eq=False, repr=False)
class _Waiter:
    places: int
    ready: asyncio.Future[Lease]
    passes: int = 0
    leaves: bool = False

    @property
    def is_gone(self) -> bool:
        """Whether it waits no more."""
        return self.ready.done()


class Limiter:
    """A semaphore over places whose size is learnt from what the service refuses.

    One limiter serves one key; clients that use the same key in one event loop share
    it. Not thread-safe.

    Args:
        places: Images that may be in progress at first, 1 or more; 10, which is the
            service's documented default, if omitted.
        learn: Whether the size follows the service; else it stays.

    Raises:
        ValueError: *places* is less than 1.
    """

    def __init__(self, places: int | None = None, *, learn: bool = True) -> None:
        self._learns = learn
        self._learnt = LearntLimit(checked_places(places))
        self._in_use = 0
        self._waiting = 0
        self._queue: deque[_Waiter] = deque()
        self._alarm: asyncio.TimerHandle | None = None
        self._may_leave = False
        self._down_until = -math.inf

    def __repr__(self) -> str:
        """Return the counts."""
        return (
            f"<Limiter {self.in_use} of {self.limit} places in use,"
            f" {self.waiting} waiting>"
        )

    @property
    def limit(self) -> int:
        """Places that may be in use at once, as learnt so far."""
        return self._learnt.limit

    @property
    def in_use(self) -> int:
        """Places in use."""
        return self._in_use

    @property
    def waiting(self) -> int:
        """Requests that wait for places."""
        return self._waiting

    @property
    def is_failing(self) -> bool:
        """Whether the gate is closed because the service is down."""
        now = asyncio.get_running_loop().time()
        if now < self._down_until:
            return True
        return self._learnt.is_ailing and not self._fits(1, now)

    async def acquire(
        self, places: int = 1, *, front: bool = False, leaves: bool = False
    ) -> Lease:
        """Wait until *places* are free, and take them.

        Args:
            places: How many; a request for more than the limit runs alone.
            front: Whether to go before all others, as a refused request does.
            leaves: Whether to give up when the service is down: it can go elsewhere.

        Returns:
            What `release` takes back.

        Raises:
            ConnectionFailedError: The service is down, and *leaves*.
        """
        if (lease := self.try_acquire(places)) is not None:
            return lease
        loop = asyncio.get_running_loop()
        if leaves and self.is_failing:
            raise down()
        waiter = _Waiter(places, loop.create_future(), leaves=leaves)
        (self._queue.appendleft if front else self._queue.append)(waiter)
        self._waiting += 1
        self._may_leave |= leaves
        self._admit()
        try:
            return await waiter.ready
        except asyncio.CancelledError:
            self._forget(waiter)
            raise

    def try_acquire(self, places: int) -> Lease | None:
        """Take *places* if they are free and nobody waits; else return None."""
        if self._waiting:
            return None
        now = asyncio.get_running_loop().time()
        if not self._learnt.allows(places, self._in_use, now):
            return None
        return self._take(places, now)

    def release(
        self,
        lease: Lease,
        verdict: Verdict = Verdict.ABANDONED,
        *,
        max_inflight_requests: int | None = None,
    ) -> None:
        """Give the places of *lease* back, and learn from what became of them.

        Args:
            lease: What `acquire` returned; each is given back once.
            verdict: What became of it.
            max_inflight_requests: The limit that a refusal named, or None.
        """
        self._in_use -= lease.places
        if self._learns:
            self._learnt.learn(
                lease,
                verdict,
                asyncio.get_running_loop().time(),
                in_use=self._in_use,
                is_wanted=self._waiting > 0,
                named=max_inflight_requests,
            )
        if self._queue or self._alarm:
            self._admit()

    def pause(self, seconds: float, *, is_down: bool = False) -> None:
        """Let nothing through for *seconds*, as a `Retry-After` asks."""
        now = asyncio.get_running_loop().time()
        self._learnt.close(now, seconds)
        if is_down:
            self._down_until = max(self._down_until, now + seconds)

    def _fits(self, places: int, now: float) -> bool:
        return self._learnt.allows(places, self._in_use, now)

    def _take(self, places: int, now: float) -> Lease:
        self._in_use += places
        return self._learnt.take(places, self._in_use, now)

    def _admit(self) -> None:
        """Let waiters through while one fits; look again when the gate opens."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        while (waiter := self._next(now)) is not None:
            self._waiting -= 1
            waiter.ready.set_result(self._take(waiter.places, now))
        if self._may_leave and self._waiting and self.is_failing:
            self._send_away()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._waiting and now < self._learnt.closed_until:
            self._alarm = loop.call_at(self._learnt.closed_until, self._admit)

    def _send_away(self) -> None:
        """End the waits of those that can go elsewhere."""
        self._may_leave = False
        for waiter in self._queue:
            if waiter.leaves and not waiter.ready.done():
                self._waiting -= 1
                waiter.ready.set_exception(down())

    def _next(self, now: float) -> _Waiter | None:
        """Remove and return the first that may go."""
        queue = self._queue
        if not self._fits(1, now):
            return None
        while queue and queue[0].is_gone:
            queue.popleft()
        return next_in(queue, lambda places: self._fits(places, now), self.limit)

    def _forget(self, waiter: _Waiter) -> None:
        """Undo the wait of a cancelled task, also if its places had just come."""
        if waiter.ready.cancelled():
            self._waiting -= 1
            self._admit()
        elif waiter.ready.exception() is None:
            self.release(waiter.ready.result())
