"""The order in which waiters go through the gate."""

from __future__ import annotations

import asyncio

import pytest

from ideogram_async import Limiter
from ideogram_async._queue import LOOK_AHEAD, MOST_PASSES

from .gate_simulation import queue, run, settle


def test_first_come_first_served() -> None:
    """Waiters go in the order in which they came."""

    async def main() -> list[int]:
        limiter, order = Limiter(1, learn=False), list[int]()

        async def use(number: int) -> None:
            lease = await limiter.acquire()
            order.append(number)
            await asyncio.sleep(1)
            limiter.release(lease)

        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(use(number))
        return order

    assert run(main()) == [0, 1, 2, 3, 4]


def test_front_goes_first() -> None:
    """A refused request that comes back goes before those that wait."""

    async def main() -> list[str]:
        limiter, order = Limiter(1, learn=False), list[str]()
        held = await limiter.acquire()

        async def use(name: str, *, front: bool) -> None:
            lease = await limiter.acquire(front=front)
            order.append(name)
            limiter.release(lease)

        async with asyncio.TaskGroup() as group:
            group.create_task(use("first", front=False))
            await settle()
            group.create_task(use("refused", front=True))
            await settle()
            limiter.release(held)
        return order

    assert run(main()) == ["refused", "first"]


@pytest.mark.parametrize(
    ("sizes", "order"),
    [
        pytest.param([4, 1, 1], [1, 2], id="smaller-pass"),
        pytest.param([4, 3, 2], [2], id="first-that-fits"),
        pytest.param([4] * (LOOK_AHEAD - 1) + [1], [31], id="last-looked-at"),
        pytest.param([4] * LOOK_AHEAD + [1], [], id="too-far-back"),
        pytest.param([2, 1], [0], id="first-fits"),
    ],
)
def test_one_that_fits_may_pass(sizes: list[int], order: list[int]) -> None:
    """If the first needs more places than are free, one of the next 32 may go."""

    async def main() -> list[int]:
        limiter = Limiter(10, learn=False)
        await limiter.acquire(8)
        tasks, went = await queue(limiter, sizes)
        for task in tasks:
            task.cancel()
        return went

    assert run(main()) == order


def test_nobody_is_passed_for_ever() -> None:
    """A waiter is passed 32 times; then the places are kept free for it."""

    async def main() -> tuple[int, int]:
        limiter = Limiter(10, learn=False)
        held = [await limiter.acquire() for _ in range(10)]
        (large, *small), order = await queue(limiter, [8] + [1] * 60)
        while not large.done():
            limiter.release(held.pop(0))
            await settle()
            held += [each.result() for each in small if each.done()]
            small = [each for each in small if not each.done()]
        for each in small:
            each.cancel()
        return order.index(0), limiter.in_use

    assert run(main()) == (MOST_PASSES, 10)


def test_larger_than_the_limit_runs_alone() -> None:
    """A request for more than all places waits until it is alone."""

    async def main() -> list[int]:
        limiter, used = Limiter(4, learn=False), list[int]()
        first = await limiter.acquire()
        (large,), _ = await queue(limiter, [8])
        used.append(limiter.in_use)
        limiter.release(first)
        await settle()
        used.append(limiter.in_use)
        limiter.release(large.result())
        return [*used, limiter.in_use]

    assert run(main()) == [1, 8, 0]


def test_those_that_fit_go_before_one_that_is_too_large() -> None:
    """A request above the limit, perhaps never served, does not hold up the others."""

    async def main() -> list[int]:
        limiter = Limiter(4, learn=False)
        held = await limiter.acquire(4)
        tasks, order = await queue(limiter, [8, 2, 2, 9])
        limiter.release(held)
        for turn in (1, 2, 0, 3):
            await settle()
            limiter.release(tasks[turn].result())
        return order

    assert run(main()) == [1, 2, 0, 3]


def test_too_large_is_due_after_its_passes() -> None:
    """One above the limit that was passed 32 times goes before others that fit."""

    async def main() -> int:
        limiter = Limiter(2, learn=False)
        held = await limiter.acquire(2)
        tasks, order = await queue(limiter, [8] + [2] * 40)
        for turn in range(1, MOST_PASSES + 1):
            limiter.release(held)
            await settle()
            held = tasks[turn].result()
        limiter.release(held)
        await settle()
        for task in tasks:
            task.cancel()
        return order.index(0)

    assert run(main()) == MOST_PASSES
