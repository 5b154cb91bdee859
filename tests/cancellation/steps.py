"""Cancels a task at its n-th step, in each of the ways in which tasks are cancelled.

A step is what a task does between two suspensions. `early` cancels it when it has just
suspended; `late` when what it waits for is there, but the task was not woken yet, so
that a result is lost; `twice` again at the step after, within the cleanup; `timeout`
and `scope` are those of asyncio and anyio; `turn` counts turns of the event loop in
place of steps, and `any` the steps of all tasks, so that those which the call has made
are met at every step too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Final

import anyio


Strike = Callable[[Any], None]
"""Cancels; it is given what the task waits for."""

NEVER: Final = 10**9


class Stepped(Coroutine[Any, Any, None]):
    """A coroutine whose steps are counted, and which is struck at some of them.

    Args:
        inner: The coroutine.
        at: Before which suspension, from 1, it is struck.
        strike: What strikes it.
        times: At how many suspensions in a row.
    """

    def __init__(
        self,
        inner: Coroutine[Any, Any, Any],
        at: int,
        strike: Strike,
        times: int = 1,
    ) -> None:
        self._inner = inner
        self._strikes_at = range(at, at + times)
        self._strike = strike
        self.steps = 0

    def send(self, value: None) -> Any:
        """Take a step."""
        return self._suspended(self._inner.send(value))

    def throw(self, *error: Any) -> Any:
        """Take a step that begins with an error."""
        return self._suspended(self._inner.throw(*error))

    def close(self) -> None:
        """Close it."""
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        """Wait for it within another coroutine."""
        return self._driven()

    def _driven(self) -> Generator[Any, Any, Any]:
        step, given = self.send, None
        while True:
            try:
                waits_for = step(given)
            except StopIteration as ended:
                return ended.value
            step, given = self.send, None
            try:
                yield waits_for
            except BaseException as error:  # noqa: BLE001  # it is the inner one's
                step, given = self.throw, error  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        """Return what is asked of coroutines, such as whether it runs."""
        return getattr(self._inner, name)

    def _suspended(self, waits_for: Any) -> Any:
        self.steps += 1
        if self.steps in self._strikes_at:
            self._strike(waits_for)
        return waits_for


class CountingLoop(asyncio.SelectorEventLoop):
    """An event loop that calls something at its n-th turn from now."""

    left = NEVER
    strike: Callable[[], object]

    def _run_once(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.strike()
        super()._run_once()  # type: ignore[misc]  # it has one


Way = Callable[[Coroutine[Any, Any, Any], int], Awaitable[bool]]
"""Runs a coroutine and cancels it at a step; returns whether it came so far.

It raises what the coroutine raises, and AssertionError if it did not end as cancelled.
"""


async def _ended(task: asyncio.Task[None], *, is_struck: Callable[[], bool]) -> bool:
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
        assert not is_struck(), "the cancellation was swallowed"
    return is_struck()


def _native(*, is_late: bool, times: int = 1) -> Way:
    async def way(inner: Coroutine[Any, Any, Any], at: int) -> bool:
        loop = asyncio.get_running_loop()

        def strike(waits_for: Any) -> None:
            if not is_late:
                task.cancel()
            elif waits_for is None:
                loop.call_soon(task.cancel)
            else:
                waits_for.add_done_callback(lambda _: task.cancel())

        stepped = Stepped(inner, at, strike, times)
        task = loop.create_task(stepped)
        return await _ended(task, is_struck=lambda: stepped.steps >= at)

    return way


async def _timeout(inner: Coroutine[Any, Any, Any], at: int) -> bool:
    loop = asyncio.get_running_loop()
    limit: asyncio.Timeout | None = None

    def strike(_: object) -> None:
        assert limit is not None
        limit.reschedule(loop.time())

    stepped = Stepped(inner, at, strike)
    try:
        async with asyncio.timeout(None) as limit:
            await stepped
    except TimeoutError:
        return True
    return False


async def _scope(inner: Coroutine[Any, Any, Any], at: int) -> bool:
    with anyio.CancelScope() as scope:
        await Stepped(inner, at, lambda _: scope.cancel())
    return scope.cancel_called


async def _turn(inner: Coroutine[Any, Any, Any], at: int) -> bool:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, CountingLoop)
    task: asyncio.Task[None] = loop.create_task(inner)
    loop.left, loop.strike = at, task.cancel
    done = asyncio.ensure_future(asyncio.wait([task]))
    await done
    left, loop.left = loop.left, NEVER
    if not task.cancelled():
        task.result()  # it may have ended in the very turn
    return left <= 0


async def _any(inner: Coroutine[Any, Any, Any], at: int) -> bool:
    loop = asyncio.get_running_loop()
    steps = 0

    def count(_: object) -> None:
        nonlocal steps
        steps += 1
        if steps == at:
            task.cancel()

    def factory(
        loop: asyncio.AbstractEventLoop, coro: Any, **options: Any
    ) -> asyncio.Task[Any]:
        return asyncio.Task(Stepped(coro, 1, count, NEVER), loop=loop, **options)

    loop.set_task_factory(factory)
    task: asyncio.Task[None] = loop.create_task(inner)
    await asyncio.wait([task])
    loop.set_task_factory(None)
    if not task.cancelled():
        task.result()  # another task may have been the last
    return steps >= at


WAYS: Final[dict[str, Way]] = {
    "early": _native(is_late=False),
    "late": _native(is_late=True),
    "twice": _native(is_late=False, times=2),
    "timeout": _timeout,
    "scope": _scope,
    "turn": _turn,
    "any": _any,
}
