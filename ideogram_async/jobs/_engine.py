"""One run of a job: feed, workers, a bounded buffer, savers.

Workers draw items and send them; savers download what was answered. The buffer between
them is all that a slow disk may hold up. A request under way, and the writing down of
its answer, are shielded: a cancelled run lets nothing new out and waits for them.
Only `leave` drops them; the next run then finds them sent, which is unknown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

import anyio
import attrs
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from .._call import Halt
from .._failover import Failover
from .._queue import LOOK_AHEAD
from ..errors import JournalError, NotSentError
from ._budget import Budget
from ._feed import Feed
from ._saver import Saver
from ._sender import Answered, Sender
from ._sqlite import SqliteJournal
from ._values import ENDED, Progress, money


SAVERS: Final = 8
"""How many answers are saved at once."""

BUFFER: Final = 64
"""How many answers wait to be saved before generation waits for the disk."""

TICK: Final = 0.2
"""Seconds between two looks at the progress."""


@attrs.define(eq=False)
class Engine:
    """One run.

    Attributes:
        feed: Where items come from.
        sender: Sends them.
        saver: Saves their images.
        journal: Where everything is written.
        budget: The money.
        gates: The providers, whose limits decide how many workers there are.
        halt: Ends the run: nothing new is sent.
        concurrency: Most requests at once; None for as many as the gate allows.
        on_progress: Told how far it is, every so often.
        total: Items in all; None if unknown.
    """

    feed: Feed
    sender: Sender
    saver: Saver
    journal: SqliteJournal
    budget: Budget
    gates: Failover
    halt: Halt
    concurrency: int | None
    on_progress: Callable[[Progress], None] | None
    total: int | None = None
    _is_over: bool = attrs.field(default=False, init=False)
    _workers: int = attrs.field(default=0, init=False)
    _began: float = attrs.field(factory=time.monotonic, init=False)
    _ended_before: int = attrs.field(default=0, init=False)
    _scopes: set[anyio.CancelScope] = attrs.field(
        factory=set[anyio.CancelScope], init=False
    )

    async def run(self) -> None:
        """Send what is to be sent, and save what was answered, until all is done."""
        self._ended_before = self._ended()
        with self._leavable(shield=False):
            async with anyio.create_task_group() as group:
                group.start_soon(self._watch)
                group.start_soon(self._work_through, group.cancel_scope)
        self._tell()

    def leave(self) -> None:
        """Drop everything at once, also what is paid and under way."""
        self.halt.end(NotSentError("it was left at once"))
        for scope in tuple(self._scopes):
            scope.cancel()

    def progress(self) -> Progress:
        """Return how far the run is."""
        counts, elapsed = self.journal.counts, time.monotonic() - self._began
        rate = (self._ended() - self._ended_before) / max(elapsed, 0.001)
        total = self.rows
        left = None if total is None else max(0, total - self._ended())
        limit = self.budget.limit
        return Progress(
            total=total,
            counts=dict(counts),
            in_use=self.gates.in_use,
            limit=self.gates.limit,
            spent=money(self.budget.spent),
            budget=None if limit is None else money(limit),
            unit=self.journal.unit,
            rate=rate,
            remaining=left / rate if left is not None and rate else None,
        )

    @property
    def rows(self) -> int | None:
        """Items in all; None while that isn't known."""
        known = sum(self.journal.counts.values())
        if self.feed.is_drawn:
            return known
        return None if self.total is None else max(known, self.total)

    def _ended(self) -> int:
        return sum(self.journal.counts[state] for state in ENDED)

    def _tell(self) -> None:
        if self.on_progress is not None:
            self.on_progress(self.progress())

    async def _watch(self) -> None:
        try:
            while True:
                self._tell()
                if not self.journal.is_in_place:
                    path = self.journal.path
                    self.halt.end(JournalError(f"{path} was removed while in use"))
                await anyio.sleep(TICK)
        finally:
            if not self._is_over:
                self.halt.end(NotSentError("it was cancelled"))

    async def _work_through(self, scope: anyio.CancelScope) -> None:
        await self._flow()
        self._is_over = True
        scope.cancel()

    async def _flow(self) -> None:
        answered, to_save = anyio.create_memory_object_stream[Answered](BUFFER)
        async with anyio.create_task_group() as savers:
            for _ in range(SAVERS):
                savers.start_soon(self._save, to_save.clone())
            to_save.close()
            async with answered, anyio.create_task_group() as workers:
                workers.start_soon(self._recall, answered)
                await self._resume_all(workers, answered)
                self._start_worker(workers, answered)

    def _start_worker(
        self, group: TaskGroup, answered: MemoryObjectSendStream[Answered]
    ) -> None:
        self._workers += 1
        group.start_soon(self._work, group, answered)

    async def _work(
        self, group: TaskGroup, answered: MemoryObjectSendStream[Answered]
    ) -> None:
        while (drawn := await self.feed.draw()) is not None:
            most = self.concurrency or self.gates.limit + LOOK_AHEAD
            if self._workers < most:
                self._start_worker(group, answered)
            paid = None
            with self._leavable(shield=True):
                paid = await self.sender.deliver(*drawn)
            if paid is not None:
                await answered.send(paid)

    async def _resume_all(
        self, group: TaskGroup, answered: MemoryObjectSendStream[Answered]
    ) -> None:
        """Wait for what an earlier run submitted; it is in progress, so it has places.

        It gets them before anything new does.
        """
        try:
            numbers = await self.journal.left("submitted")
        except JournalError as error:
            self.halt.end(error)
            return
        for number in numbers:
            free = self.sender.generations.hold()
            group.start_soon(self._resume, number, free, answered)

    async def _resume(
        self,
        number: int,
        free: Callable[[], None],
        answered: MemoryObjectSendStream[Answered],
    ) -> None:
        paid = None
        with self._leavable(shield=True):
            try:
                paid = await self.sender.resume(number)
            except JournalError as error:
                self.halt.end(error)
            finally:
                free()
        if paid is not None:
            await answered.send(paid)

    async def _recall(self, answered: MemoryObjectSendStream[Answered]) -> None:
        try:
            for number in await self.journal.left("answered"):
                await answered.send(await self.saver.recall(number))
        except JournalError as error:
            self.halt.end(error)

    async def _save(self, to_save: MemoryObjectReceiveStream[Answered]) -> None:
        with to_save:
            async for paid in to_save:
                await self.saver.save(paid)

    @contextmanager
    def _leavable(self, *, shield: bool) -> Generator[None]:
        """Let `leave` cancel what is in the context."""
        with anyio.CancelScope(shield=shield) as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)
