"""Batches that outlive whoever listens to them, because their client owns them.

A batch that is held by a web request ends with it, and what it had paid is lost. Here a
task of the client runs it and keeps every outcome; listeners come and go, and each is
given all outcomes from wherever it likes. The client holds the task while it runs; the
outcomes live as long as the user's `RunningBatch`.

The end of the client ends its batches as `cancel` does: nothing new leaves, and what is
under way is waited for, since it is paid.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

import anyio
import attrs

from ._bulk import Outcomes
from ._call import Call
from ._ready import backend_ready
from .batch import Batch, Failure, Success
from .errors import IdeogramError, NotSentError, OutcomeUnknownError
from .requests import Request


T = TypeVar("T")

Send = Callable[[Request[Any], Call], Awaitable[Any]]
"""Sends a request."""

Open = Callable[[Send], AbstractAsyncContextManager[Outcomes[T]]]
"""Opens the stream of a batch, whose requests are sent by what is given."""


class RunningBatch(Generic[T]):
    """A batch that its client runs, whether or not anybody listens.

    Every outcome is kept for as long as this object is, 1 to 2 KB each.

    Args:
        total: How many items there are; None if the source doesn't tell.
        opens: Opens the stream.
        send: Sends a request.

    Attributes:
        id: A name that can't be guessed, so that it may stand in a link.
        total: How many items there are; None while the source doesn't tell.
        succeeded: Items that were answered, so far.
        failed: Items that were not, so far.
        is_done: Whether every item has its outcome.
        task: What runs it.
    """

    def __init__(self, total: int | None, opens: Open[T], send: Send) -> None:
        self.id: str = secrets.token_urlsafe(16)
        self.total = total
        self.succeeded: int = 0
        self.failed: int = 0
        self.is_done: bool = False
        self._kept: list[Success[T] | Failure] = []
        self._changed = asyncio.Event()
        self._stream: Outcomes[T] | None = None
        self._stopped_by: str | None = None
        self._is_whole = False
        self._under_way: set[anyio.CancelScope] = set()
        loop = asyncio.get_running_loop()
        self.task: asyncio.Task[None] = loop.create_task(
            self._run(opens(self._sending(send)))
        )
        self.task.add_done_callback(self._end)  # also if it never takes a step

    def __repr__(self) -> str:
        """Return the counts."""
        total = "?" if self.total is None else self.total
        return (
            f"<RunningBatch {self.succeeded + self.failed} of {total} done,"
            f" {self.failed} failed>"
        )

    def cancel(self, reason: str = "it was cancelled") -> None:
        """Send nothing new; what is under way still ends, for it is paid.

        Every other item ends at once, as a failure with `NotSentError`.
        """
        self._stopped_by = reason
        if self._stream is not None:
            self._stream.stop(reason)

    def abandon(self, reason: str = "it was abandoned") -> None:
        """Cancel, and don't wait for what is under way either.

        Each such item ends as a failure with `OutcomeUnknownError`: it may be billed.
        """
        self.cancel(reason)
        for scope in self._under_way:
            scope.cancel()

    async def after(self, count: int) -> Sequence[Success[T] | Failure]:
        """Return the outcomes beyond the first *count*, as they completed.

        It waits until there are some; none are left if it returns none.

        Raises:
            IdeogramError: The batch was torn down with its event loop.
        """
        while count >= len(self._kept):
            if self.is_done:
                self._raise_if_torn()
                return []
            await self._changed.wait()
        return self._kept[count:]

    async def outcomes(
        self, start: int = 0
    ) -> AsyncGenerator[Success[T] | Failure, None]:
        """Yield the outcomes as they complete; those so far come at once.

        Any number of listeners may iterate at any pace; one that leaves harms nobody.

        Args:
            start: How many of the first to leave out: what a listener that comes back
                has had already.

        Raises:
            IdeogramError: The batch was torn down with its event loop.
        """
        while fresh := await self.after(start):
            for outcome in fresh:
                yield outcome
            start += len(fresh)

    async def result(self) -> Batch[T]:
        """Wait until every item has its outcome, and return them in input order.

        Cancelling this wait leaves the batch alone.

        Raises:
            IdeogramError: The batch was torn down with its event loop.
        """
        while not self.is_done:
            await self._changed.wait()
        self._raise_if_torn()
        return Batch(self._kept)

    async def _run(self, stream: AbstractAsyncContextManager[Outcomes[T]]) -> None:
        await backend_ready()
        async with stream as outcomes:
            self._stream = outcomes
            if self._stopped_by is not None:
                outcomes.stop(self._stopped_by)
            async for outcome in outcomes:
                self._keep(outcome)
        self._is_whole = True

    def _end(self, _: asyncio.Task[None]) -> None:
        self.is_done = True
        self.total = len(self._kept)
        self._changed.set()

    def _sending(self, send: Send) -> Send:
        """Return *send*, made so that `abandon` ends it."""

        async def abandonable(request: Request[Any], call: Call) -> Any:
            with anyio.CancelScope() as scope:
                self._under_way.add(scope)
                try:
                    return await send(request, call)
                finally:
                    self._under_way.discard(scope)
            if not call.attempts:
                raise NotSentError("not sent, because the batch was abandoned")
            raise OutcomeUnknownError(
                "the batch was abandoned before the answer came: the request may have"
                " run and be billed; it is not sent again",
                request=request,
            )

        return abandonable

    def _keep(self, outcome: Success[T] | Failure) -> None:
        self._kept.append(outcome)
        if isinstance(outcome, Success):
            self.succeeded += 1
        else:
            self.failed += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _raise_if_torn(self) -> None:
        if not self._is_whole:
            raise IdeogramError(
                "the batch was torn down before every item had its outcome: what was"
                " under way may be billed"
            )


@attrs.frozen(eq=False, repr=False)
class RunningBatches:
    """The batches that a client runs, held until they end.

    Attributes:
        held: Those that have not ended.
    """

    held: set[RunningBatch[Any]] = attrs.field(factory=set[RunningBatch[Any]])

    def hold(self, running: RunningBatch[T]) -> RunningBatch[T]:
        """Hold *running* until it ends, and return it."""
        self.held.add(running)
        running.task.add_done_callback(lambda _: self.held.discard(running))
        return running

    async def drain(self, seconds: float | None) -> None:
        """Let nothing new out, and wait for what is under way, for *seconds* at most.

        A cancelled scope around it doesn't shorten the wait.
        """
        if not self._here():
            return
        with anyio.CancelScope(shield=True):
            while batches := self._here():
                tasks = [running.task for running in batches]
                for running in batches:
                    running.cancel("the client was closed")
                try:
                    await asyncio.wait(tasks, timeout=seconds)
                finally:
                    for running in batches:
                        running.abandon()
                await asyncio.wait(tasks)

    def _here(self) -> list[RunningBatch[Any]]:
        """Return those of this event loop; a client may have been used in others."""
        loop = asyncio.get_running_loop()
        return [each for each in self.held if each.task.get_loop() is loop]
