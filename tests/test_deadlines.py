"""One alarm for the time of all attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from ideogram_async._deadlines import Deadline, Deadlines


async def attempt(
    deadlines: Deadlines, seconds: float, work: Awaitable[object]
) -> tuple[str, int]:
    """Return how *work* ended within its time, and what is left of cancellations."""
    task = asyncio.current_task()
    assert task is not None
    deadline = deadlines.begin(asyncio.get_running_loop(), seconds)
    try:
        await work
        end = "done"
    except asyncio.CancelledError:
        end = "late" if deadline.is_over else "cancelled"
    finally:
        deadlines.end(deadline)
    return end, task.cancelling()


async def test_each_has_its_own_time() -> None:
    """A short time that begins after a long one ends first, and one after another."""
    deadlines, loop = Deadlines(), asyncio.get_running_loop()
    ended: list[float] = []

    async def timed(seconds: float) -> None:
        began = loop.time()
        end = await attempt(deadlines, seconds, asyncio.sleep(30))
        assert end == ("late", 0)
        assert loop.time() - began >= seconds - 0.001
        ended.append(seconds)

    await asyncio.gather(*map(timed, (0.3, 0.1, 0.2)))

    assert ended == [0.1, 0.2, 0.3]


async def test_what_ends_in_time_is_left_alone() -> None:
    """An attempt that has ended isn't cancelled when its time would be up."""
    deadlines = Deadlines()

    assert await attempt(deadlines, 0.05, asyncio.sleep(0)) == ("done", 0)
    await asyncio.sleep(0.15)

    assert await attempt(deadlines, 30, asyncio.sleep(0)) == ("done", 0)


async def test_a_time_of_none() -> None:
    """No time at all is up as soon as the attempt waits."""
    assert await attempt(Deadlines(), 0, asyncio.sleep(30)) == ("late", 0)


async def test_cancelled_by_others() -> None:
    """Who is cancelled by somebody else stays so."""
    never = asyncio.Event()
    task = asyncio.create_task(attempt(Deadlines(), 30, never.wait()))
    await asyncio.sleep(0)

    task.cancel()

    assert await task == ("cancelled", 1)


@pytest.mark.parametrize("is_alarm_first", [False, True])
async def test_late_and_cancelled_at_once(*, is_alarm_first: bool) -> None:
    """Who is cancelled by somebody else stays so, also when its time is up as well."""
    begun: list[Deadline] = []

    async def work() -> None:
        task = asyncio.current_task()
        assert task is not None
        begun.append(Deadline(task, 0.0))
        await asyncio.sleep(30)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    (deadline,) = begun
    for end in (deadline.ring, task.cancel)[:: 1 if is_alarm_first else -1]:
        end()

    assert not deadline.is_over
    deadline.lift()
    assert task.cancelling() == 1
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_closed_while_one_is_open() -> None:
    """What is under way when they are closed keeps its time."""
    deadlines = Deadlines()
    task = asyncio.create_task(attempt(deadlines, 0.1, asyncio.sleep(30)))
    await asyncio.sleep(0)

    deadlines.close()

    assert await task == ("late", 0)


def test_in_one_loop_after_another() -> None:
    """A loop that ended with its alarm set leaves the next one its own."""
    deadlines = Deadlines()

    for seconds, end in ((30, "done"), (0.05, "late"), (60, "done"), (0.05, "late")):
        work = asyncio.sleep(0 if end == "done" else 30)
        assert asyncio.run(attempt(deadlines, seconds, work)) == (end, 0)
