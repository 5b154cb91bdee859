"""Many requests at once: a set of workers that draw from one source.

Each worker draws an item, sends it, hands the outcome over, and draws again, so memory
depends on the number of workers and not on the length of the source. There are some
more workers than places, so that the gate always has somebody waiting; they start one
by one, as items are drawn. A worker never fails: what an item raises is its outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
)
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast

import anyio
import attrs

from ._call import Call, Halt
from ._queue import LOOK_AHEAD
from ._ready import backend_ready
from ._retry import LOCKS_OUT
from ._transport import is_cancelled
from .batch import Failure, Success
from .errors import IdeogramError, NotSentError
from .requests import Request


if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from .providers import Provider

T = TypeVar("T")
Item = TypeVar("Item")

Items = Iterable[Item] | AsyncIterable[Item]
"""Where items come from: a list, a generator of any length, an async iterable."""

ROOM: Final = 64
"""How many outcomes may wait for a reader who keeps them all. It has an end, so that
items which are done at once don't hold the event loop."""

SPARE: Final = 4
"""How many more workers than places there are, where outcomes are kept and each request
takes one place. Who reads slowly, or takes several, needs as many as the gate looks at.
Few are better: each costs its start, and memory while it waits."""

Ready = asyncio.Queue[Success[T] | Failure | None]
"""Hands outcomes over; None is the end. It is no stream of anyio, because that drops an
item whose reader is cancelled."""


class Outcomes(AsyncIterator[Success[T] | Failure], Generic[T]):
    """The outcomes of a running batch as they complete; several tasks may read them."""

    def __init__(self, ready: Ready[T], halt: Halt) -> None:
        self._ready = ready
        self._halt = halt

    async def __anext__(self) -> Success[T] | Failure:
        """Return the next outcome."""
        outcome = await self._ready.get()
        if outcome is None:
            self._ready.put_nowait(None)  # for the other readers
            raise StopAsyncIteration
        return outcome

    def stop(self, reason: str = "it was stopped") -> None:
        """Send nothing new; what is under way still ends, the rest is not sent.

        The iteration goes on until every item has its outcome; a source that is slow to
        give the next item ends here.
        """
        self._halt.end(NotSentError(reason))


@attrs.define(eq=False, repr=False)
class Bulk(Generic[Item, T]):
    """One run over one source.

    Attributes:
        source: Where items come from.
        prepare: Makes a request of an item, or raises ValueError.
        send: Sends a request.
        places: How many places there are now; it decides how many workers there are.
        deadline: Seconds for the whole run; None for no limit.
        is_locked_out: Whether no provider is left that takes the key.
        keeps_all: Whether all outcomes are kept anyway, so that workers need not wait
            until each is read.
    """

    source: Source[Item]
    prepare: Callable[[Item], Request[T]]
    send: Callable[[Request[T], Call], Awaitable[T]]
    places: Callable[[], int]
    deadline: float | None
    is_locked_out: Callable[[], bool] = lambda: True
    keeps_all: bool = False
    _halt: Halt = attrs.field(factory=Halt, init=False)
    _workers: int = attrs.field(default=0, init=False)
    _takes_several: bool = attrs.field(default=False, init=False)

    @asynccontextmanager
    async def run(self) -> AsyncGenerator[Outcomes[T]]:
        """Run; leaving the context ends everything at once."""
        ready: Ready[T] = asyncio.Queue(ROOM if self.keeps_all else 1)
        expires_at = Call.within(self.deadline).expires_at
        failed: Exception | None = None
        is_torn = False
        await backend_ready()
        async with anyio.create_task_group() as group:
            self._start_worker(group, ready, expires_at)
            try:
                yield Outcomes(ready, self._halt)
            except Exception as error:  # noqa: BLE001  # raised below, out of the group
                failed = error
            finally:  # a worker that is just awake is cancelled a step too late
                is_torn = group.cancel_scope.cancel_called  # anyio did: one is gone
                self._halt.end(NotSentError("it was left"))
                group.cancel_scope.cancel()
        while not ready.empty():
            ready.get_nowait()
        ready.put_nowait(None)  # for readers that are late
        if failed is not None:
            raise failed
        if is_torn:
            raise IdeogramError(
                "the batch was torn: one of its workers was cancelled by other code;"
                " what was under way may be billed"
            )

    def _start_worker(
        self, group: TaskGroup, ready: Ready[T], expires_at: float
    ) -> None:
        async def work() -> None:
            while True:
                call = Call(expires_at, self._halt)
                drawn = await self.source.draw(call)
                if drawn is None:
                    break
                if self._workers < self._most_workers():
                    self._start_worker(group, ready, expires_at)
                outcome = await self._outcome(*drawn, call)
                await ready.put(outcome)
                if not outcome.attempts:  # it may not have waited for anything
                    await asyncio.sleep(0)
            self._workers -= 1
            if not self._workers:
                await ready.put(None)

        self._workers += 1
        group.start_soon(work)

    def _most_workers(self) -> int:
        is_simple = self.keeps_all and not self._takes_several
        return self.places() + (SPARE if is_simple else LOOK_AHEAD)

    async def _outcome(
        self, index: int, item: Item | SourceError, call: Call
    ) -> Success[T] | Failure:
        request: Request[T] | None = None
        try:
            if isinstance(item, SourceError):
                raise item.error  # noqa: TRY301  # its outcome, like any other's
            request = self.prepare(item)
            self._takes_several |= request.places > 1
            response = await self.send(request, call)
            provider = cast("Provider", call.answered_by)
            name, attempts = provider.name, call.attempts
            return Success(index, request, response, attempts, name, call.cost)
        except Exception as error:  # noqa: BLE001  # one item never harms another
            if isinstance(error, LOCKS_OUT) and self.is_locked_out():
                self._halt.end(error)
            is_of_source = isinstance(item, SourceError)
            return Failure(index, request, error, call.attempts, is_of_source)


@attrs.frozen(eq=False, repr=False)
class SourceError:
    """Stands for the item that the source could not make.

    Attributes:
        error: What the source raised.
    """

    error: Exception


class End(Enum):
    """Stands for the end of a source."""

    END = auto()


class Source(Generic[Item]):
    """Numbers the items of any iterable, drawn one at a time by many workers.

    An error of the source itself is its last item: what was drawn before is not lost.
    """

    def __init__(self, items: Items[Item]) -> None:
        if isinstance(items, str | bytes):
            raise TypeError(f"expected a list of prompts, got one: {items!r:.60}")
        self._items = aiter(items) if isinstance(items, AsyncIterable) else iter(items)
        self._lock = asyncio.Lock()
        self._drawn = 0
        self._ended = False

    async def draw(self, call: Call) -> tuple[int, Item | SourceError] | None:
        """Return the next item and its number, or None at the end.

        An async source that is still waited for when *call* or the batch ends, ends.
        """
        if isinstance(self._items, AsyncIterator):
            async with self._lock:
                return self._numbered(await self._waited_for(self._items, call))
        return self._numbered(self._taken(self._items))

    def _taken(self, items: Iterator[Item]) -> Item | SourceError | End:
        if self._ended:
            return End.END
        try:
            return next(items)
        except StopIteration:
            return End.END
        except Exception as error:  # noqa: BLE001  # becomes the last outcome
            return SourceError(error)

    async def _waited_for(
        self, items: AsyncIterator[Item], call: Call
    ) -> Item | SourceError | End:
        if self._ended:
            return End.END
        with call.limited():
            try:
                return await anext(items)
            except StopAsyncIteration:
                return End.END
            except asyncio.CancelledError:
                if is_cancelled():
                    raise
                return SourceError(RuntimeError("the source of items was cancelled"))
            except Exception as error:  # noqa: BLE001  # becomes the last outcome
                return SourceError(error)
        return End.END

    def _numbered(
        self, item: Item | SourceError | End
    ) -> tuple[int, Item | SourceError] | None:
        self._ended = isinstance(item, SourceError | End)
        if isinstance(item, End):
            return None
        self._drawn += 1
        return self._drawn - 1, item
