"""What is opened in a thread, and who closes it."""

from __future__ import annotations

import asyncio
import threading

import attrs
import pytest

from ideogram_async._threads import opened

from .cancellation.steps import WAYS
from .servers import until


@attrs.define
class Door:
    """Something that is open."""

    is_open: bool = True

    def close(self) -> None:
        self.is_open = False


async def test_what_is_opened_is_the_callers() -> None:
    """What is waited for stays open."""
    assert (await opened(Door)).is_open


async def test_what_is_opened_too_late_is_closed() -> None:
    """What a thread opens when nobody waits any more is closed."""
    door, begun, may_go = Door(), threading.Event(), threading.Event()

    def slow() -> Door:
        begun.set()
        may_go.wait()
        return door

    task = asyncio.create_task(opened(slow))
    await until(begun.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert door.is_open
    may_go.set()

    await until(lambda: not door.is_open)


@pytest.mark.parametrize("way", ["early", "late", "twice", "timeout", "scope"])
async def test_nothing_is_left_open(way: str) -> None:
    """Wherever who waits is cancelled, what was opened is closed, or handed over."""
    doors, kept = list[Door](), list[Door]()

    def make() -> Door:
        doors.append(Door())
        return doors[-1]

    async def keep() -> None:
        kept.append(await opened(make))

    at = 1
    while await WAYS[way](keep(), at):
        at += 1

    await until(lambda: [door for door in doors if door.is_open] == kept)
    assert at > 2


async def test_an_error_is_the_callers() -> None:
    """What can't be opened is an error."""

    def fail() -> Door:
        raise OSError("no such thing")

    with pytest.raises(OSError, match="no such thing"):
        await opened(fail)
