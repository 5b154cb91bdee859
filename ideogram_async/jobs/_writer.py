"""The writer: one thread that owns the journal's connection and commits in groups.

Whoever writes hands over a piece of work and awaits a future, which is done when the
work is on disk. A commit costs the same for one piece of work and for many, so a group
may gather for a moment before it is written, and while another waits for the disk.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Final, TypeVar

import attrs

from ..errors import JournalError


T = TypeVar("T")
Work = Callable[[Any], T]
"""Reads and writes through the connection that it is given."""

Attempt = Callable[[Sequence[Work[Any]]], list[Any]]
"""Runs all of a group in one transaction, or none of it, and returns the results."""

LARGEST_GROUP: Final = 256
GATHERING: Final = 0.005
"""Seconds for which a group gathers; a request takes a thousand times as long."""


@attrs.frozen(eq=False)
class _Order:
    work: Work[Any]
    done: asyncio.Future[Any] | None


class Writer:
    """Runs work on a connection, in the order in which it came.

    After the first failure nothing more is written: what the journal says stays true.

    Attributes:
        is_short: Whether a commit has failed, perhaps until room was made.

    Args:
        attempt: Runs a group in a transaction; its connection is the writer's own from
            now on.
        rescue: Called when a commit fails, to make room or to connect again; returns
            whether to try again.
        on_fault: Called in the event loop with the first failure.
        faults: What a commit fails with; anything else is the mistake of one who
            writes, and is raised there.
    """

    def __init__(
        self,
        attempt: Attempt,
        rescue: Callable[[], bool],
        on_fault: Callable[[JournalError], None],
        faults: tuple[type[Exception], ...],
    ) -> None:
        self.is_short = False
        self._attempt = attempt
        self._rescue = rescue
        self._on_fault = on_fault
        self._faults = faults
        self._fault: JournalError | None = None
        self._loop = asyncio.get_running_loop()
        self._orders: SimpleQueue[_Order | None] = SimpleQueue()
        self._kept: list[_Order] = []
        self._thread = threading.Thread(
            target=self._serve, name="ideogram-journal", daemon=True
        )
        self._thread.start()

    async def write(self, work: Work[T]) -> T:
        """Run *work* and return its result when it is on disk.

        Raises:
            JournalError: It could not be written.
        """
        done: asyncio.Future[T] = self._loop.create_future()
        self._hand_over(_Order(work, done))
        return await done

    def post(self, work: Work[object]) -> None:
        """Run *work* soon, before what is handed over later."""
        self._hand_over(_Order(work, None))

    def keep(self, work: Work[object]) -> None:
        """Run *work* together with what is handed over next, or at the end."""
        self._kept.append(_Order(work, None))

    def close(self) -> None:
        """Write all that was handed over, and end the thread."""
        self._hand_over(None)
        self._thread.join()

    def _hand_over(self, order: _Order | None) -> None:
        kept, self._kept = self._kept, []
        for each in (*kept, order):
            self._orders.put(each)

    def _serve(self) -> None:
        while (order := self._orders.get()) is not None:
            time.sleep(GATHERING)
            group = [order]
            while len(group) < LARGEST_GROUP and not self._orders.empty():
                following = self._orders.get()
                if following is None:
                    self._orders.put(None)
                    break
                group.append(following)
            self._commit(group)

    def _commit(self, group: list[_Order]) -> None:
        results: list[Any] | BaseException
        try:
            results = self._transacted(group)
        except BaseException as error:  # noqa: BLE001  # whoever waits gets it
            if len(group) > 1 and not isinstance(error, JournalError):
                for order in group:  # the mistake of one is not the others'
                    self._commit([order])
                return
            results = error
        with suppress(RuntimeError):  # the loop was closed: nobody waits
            self._loop.call_soon_threadsafe(self._settle, group, results)

    def _transacted(self, group: list[_Order]) -> list[Any]:
        if self._fault is not None:
            raise self._fault
        works = [order.work for order in group]
        try:
            return self._attempt(works)
        except self._faults as error:
            failed = error
        self.is_short = True
        fault = JournalError(f"the journal can't be written: {failed}")
        self._tell(fault)
        if self._rescue():
            with suppress(*self._faults):
                return self._attempt(works)
        self._fault = fault
        raise fault

    def _tell(self, fault: JournalError) -> None:
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._on_fault, fault)

    def _settle(self, group: list[_Order], results: list[Any] | BaseException) -> None:
        for position, order in enumerate(group):
            if order.done is None or order.done.done():
                continue
            if isinstance(results, BaseException):
                order.done.set_exception(results)
            else:
                order.done.set_result(results[position])
