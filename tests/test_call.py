"""Waits that are ended from outside."""

from __future__ import annotations

import asyncio
import math

import anyio
import pytest

from ideogram_async._call import Call, Halt, Wait
from ideogram_async.errors import NotSentError

from .servers import until


async def test_wait_goes_on_behind_its_block() -> None:
    """A wait that is ended, however often, leaves its task as it was."""
    halt, loop, task = Halt(), asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    with Wait(math.inf, halt) as wait:
        loop.call_soon(wait.end)
        loop.call_soon(wait.end)
        await anyio.sleep_forever()

    assert task.cancelling() == 0
    assert halt.waits == set()


async def test_wait_ends_with_its_time() -> None:
    """A wait whose time is up is ended, also if it was up before."""
    for moment in (-math.inf, asyncio.get_running_loop().time() + 0.01):
        with Wait(moment, Halt()):
            await anyio.sleep_forever()


async def test_wait_that_need_not_wait() -> None:
    """Who has what it waits for at once is not cancelled later."""
    with Wait(-math.inf, Halt()):
        pass

    await anyio.sleep(0.01)


async def test_cancellation_goes_before() -> None:
    """A task that is cancelled while its wait is ended is cancelled."""
    halt = Halt()
    call = Call(halt=halt)

    async def waiting() -> None:
        await call.wait(anyio.sleep_forever, "for ever")

    task = asyncio.create_task(waiting())
    await until(lambda: bool(halt.waits))
    halt.end(NotSentError("it was left"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert halt.waits == set()


async def test_error_in_a_wait_is_raised() -> None:
    """An error of what is waited for is its own, also where the wait was ended."""
    halt = Halt()

    async def waiting() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise OSError("no such thing")

    task = asyncio.create_task(Call(halt=halt).wait(waiting, "for ever"))
    await until(lambda: bool(halt.waits))
    halt.end(NotSentError("it was left"))
    with pytest.raises(OSError, match="no such thing"):
        await task

    assert task.cancelling() == 0
