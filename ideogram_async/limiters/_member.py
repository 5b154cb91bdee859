"""One event loop's membership in a shared limit: its waiters, its leases, its pump.

What is new here (leases given back, waiters that came or went) is written to the ledger
in one transaction, which also hands out what is free, whoever waits for it: at once
where that takes no waiting, or else by the pump, a task. While somebody waits, the pump
looks for news; while places are held, it shows that this member lives.

Where the store is lost, this member goes on alone, with its share of the limit in a
ledger of its own, and comes back with what it holds.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from itertools import count, islice
from typing import Final, cast

from .._gate import down
from .._learning import LearntLimit, Lease, Verdict
from .._logging import LOGGER
from .._queue import LOOK_AHEAD
from ..errors import NotSentError
from ._ledger import TIME_TO_LIVE, WAITING_TO_LIVE, Ledger
from ._notes import Draft, View, Waiter
from ._store import Store, UnreachableError


RENEW_EVERY: Final = TIME_TO_LIVE / 3
"""Seconds between two transactions while places are held."""
LOOK_EVERY: Final = WAITING_TO_LIVE / 3
"""Seconds between two transactions while somebody waits, with or without news."""
FIRST_RETRY: Final = 0.5
LONGEST_RETRY: Final = 5.0
"""Seconds between two tries to reach a lost store, at first and at most."""

ALONE: Final = "%s; this process goes on alone with %d of %d places"
CLOSED: Final = "the limiter was closed while the request waited for its places"

News = Callable[[Ledger], None]


class Membership:
    """One event loop's part in a shared limit.

    Args:
        name: By which the ledger knows it.
        store: Where the ledger is.
        places: The limit, as far as is known.
        on_view: Told what is known of all members after each transaction.
    """

    def __init__(
        self, name: str, store: Store, places: int, on_view: Callable[[View], None]
    ) -> None:
        self._store = store
        self._on_view = on_view
        self._view = View(places)
        self._ledger = Ledger(LearntLimit(places))
        self._ahead = 0.0
        self._changed_at = -math.inf
        self._name = name
        self._numbers = count()
        self._queue: OrderedDict[int, Waiter] = OrderedDict()
        self._held: dict[Lease, int] = {}
        self._news: list[News] = []
        self._draft: Draft | None = None
        self._alone: Ledger | None = None
        self._retry_at = -math.inf
        self._retry_after = FIRST_RETRY
        self._loop = asyncio.get_running_loop()
        self._is_urgent = False
        self._wake = asyncio.Event()
        self._pump = self._loop.create_task(self._run())

    @property
    def is_over(self) -> bool:
        """Whether it was closed, or its event loop was."""
        return self._pump.done()

    @property
    def is_failing(self) -> bool:
        """Whether the gate is closed because the service is down."""
        return self._ledger.is_failing(self._loop.time() - self._ahead)

    def wake(self) -> None:
        """Let the pump write, and see what is new."""
        self._is_urgent = True
        self._wake.set()

    async def acquire(self, places: int, *, front: bool, leaves: bool) -> Lease:
        """Wait until *places* are free, and take them.

        Raises:
            ConnectionFailedError: The service is down, and *leaves*.
            NotSentError: The limiter is closed meanwhile.
        """
        if self._pump.cancelling() or self.is_over:  # nobody would look for places
            raise NotSentError(CLOSED)
        number = next(self._numbers)
        ready: asyncio.Future[Lease] = self._loop.create_future()
        self._queue[number] = Waiter(number, places, ready, front, leaves)
        if front:
            self._queue.move_to_end(number, last=False)
        if front or len(self._queue) <= LOOK_AHEAD:
            self._write()
        if not ready.done():
            self._wake.set()  # the pump has somebody to look for now
        try:
            return await ready
        except asyncio.CancelledError:
            if self._queue.pop(number, None) is not None:
                self._write()
            elif not ready.cancelled() and ready.exception() is None:
                self.release(ready.result(), Verdict.ABANDONED, None)
            raise

    def release(self, lease: Lease, verdict: Verdict, named: int | None) -> None:
        """Give *lease* back, and learn from what became of it."""
        number = self._held.pop(lease, None)
        if number is None:  # it was taken before this limiter was closed
            return
        name, places = self._name, lease.places
        self._tell(lambda ledger: ledger.release(name, number, places, verdict, named))

    def pause(self, seconds: float, *, is_down: bool) -> None:
        """Let nothing through for *seconds*."""
        self._tell(lambda ledger: ledger.pause(seconds, is_down=is_down))

    async def aclose(self) -> None:
        """End the pump; what is still held stays counted for its time to live."""
        self._pump.cancel()
        await asyncio.wait([self._pump])

    def _tell(self, news: News) -> None:
        self._news.append(news)
        self._write()

    def _write(self) -> None:
        """Write what is new: at once if that takes no waiting, or else by the pump."""
        if self.is_over:
            return
        if self._alone is not None and self._draft is None:
            self._write_alone(self._alone)
        elif self._alone is not None or not self._is_written():
            self.wake()

    def _is_written(self) -> bool:
        """Write to the store if that takes no waiting, and return whether it did."""
        with suppress(UnreachableError):  # which the pump will meet too
            if self._store.change_now(self._change):
                self._settle()
                return True
        return False

    def _write_alone(self, ledger: Ledger) -> None:
        self._change(ledger, self._loop.time())
        self._settle()

    async def _run(self) -> None:
        try:
            while True:
                alarm = self._loop.call_later(self._rest(), self._wake.set)
                await self._wake.wait()
                alarm.cancel()
                self._wake.clear()
                if self._is_urgent or self._is_due():
                    self._is_urgent = False
                    await self._exchange()
        finally:
            self._draft = None
            self._end_waits()
            if self._alone is None:
                with suppress(UnreachableError):
                    await self._store.change(self._farewell)
            await self._store.aclose()

    def _rest(self) -> float:
        """Return how many seconds the pump may rest."""
        now, rest = self._loop.time(), RENEW_EVERY
        if self._queue:
            rest = self._store.poll_every
        elif self._held:
            rest += self._changed_at - now
        if self._alone is not None:
            rest = min(rest, self._retry_at - now)
        return max(0.0, rest)

    def _is_due(self) -> bool:
        """Whether it is time to write, though nothing is new here."""
        now = self._loop.time()
        if self._alone is not None and now >= self._retry_at:
            return True
        if not self._queue:
            return bool(self._held) and now >= self._changed_at + RENEW_EVERY
        opens_at = self._ledger.learnt.closed_until + self._ahead
        if self._changed_at < opens_at <= now or now >= self._changed_at + LOOK_EVERY:
            return True
        return self._alone is None and self._store.has_news()

    async def _exchange(self) -> None:
        """Write what is new to the store; alone, where that is lost."""
        if self._loop.time() >= self._retry_at:
            try:
                await self._store.change(self._change)
            except UnreachableError as error:
                self._draft = None
                self._part(str(error))
                await self._store.aclose()
            else:
                self._come_back()
                self._settle()
                return
        self._write_alone(cast("Ledger", self._alone))  # it has parted

    def _part(self, reason: str) -> None:
        """Go on alone, and try again later."""
        if self._alone is None:
            limit = self._view.limit
            share = max(1, limit // self._view.members)
            LOGGER.warning(ALONE, reason, share, limit)
            self._alone = Ledger(LearntLimit(share))
            self._retry_after = FIRST_RETRY
        self._retry_at = self._loop.time() + self._retry_after
        self._retry_after = min(LONGEST_RETRY, 2 * self._retry_after)

    def _come_back(self) -> None:
        if self._alone is not None:
            LOGGER.warning("the shared limit is back")
        self._alone, self._retry_at = None, -math.inf

    def _change(self, ledger: Ledger, now: float) -> set[str]:
        """Write what is new here, and let in who may go, whoever waits."""
        now = self._announce(ledger, now)
        first = islice(self._queue.values(), 2 * LOOK_AHEAD)
        ledger.wait(self._name, [(w.number, w.places, w.is_front) for w in first])
        served = ledger.admit()
        known = {*self._held.values()}
        leases = ledger.members[self._name].leases
        granted = {n: lease for n, lease in leases.items() if n not in known}
        ahead = self._loop.time() - now
        self._draft = Draft(ledger, ahead, len(self._news), granted)
        return served - {self._name}

    def _farewell(self, ledger: Ledger, now: float) -> set[str]:
        self._announce(ledger, now)
        ledger.leave(self._name)
        return ledger.admit()

    def _announce(self, ledger: Ledger, now: float) -> float:
        """Tell *ledger* all that is new here; return the time by its clock."""
        now = ledger.advance(now)
        ledger.join(self._name)
        for news in self._news:
            news(ledger)
        held = {number: lease.places for lease, number in self._held.items()}
        ledger.hold(self._name, held, self._queue)
        return now

    def _settle(self) -> None:
        """Hand out what the transaction has brought, now that it is written."""
        draft, self._draft = cast("Draft", self._draft), None
        ledger = self._ledger = draft.ledger
        self._ahead, self._changed_at = draft.ahead, self._loop.time()
        del self._news[: draft.written]
        for number, lease in draft.granted.items():
            waiter = self._queue.pop(number, None)
            if waiter is None or waiter.ready.done():  # it was cancelled meanwhile
                self.wake()  # what is neither held nor wanted is free in the ledger
            else:
                self._held[lease] = number
                waiter.ready.set_result(lease)
        self._view = View(
            ledger.learnt.limit, ledger.in_use, ledger.waiting, len(ledger.members)
        )
        self._on_view(self._view)
        if self._queue and self.is_failing:
            self._send_away()

    def _end_waits(self) -> None:
        """End all waits, since nobody will look for places any more."""
        while self._queue:
            _, waiter = self._queue.popitem()
            waiter.fail(NotSentError(CLOSED))

    def _send_away(self) -> None:
        """End the waits of those that can go elsewhere."""
        for waiter in [each for each in self._queue.values() if each.leaves]:
            del self._queue[waiter.number]
            waiter.fail(down())
            self.wake()
