"""The gate: places, waiters, and nothing lost on any path."""

from __future__ import annotations

import asyncio

import pytest

from ideogram_async import Limiter
from ideogram_async._learning import Verdict

from .gate_simulation import queue, run, settle


def test_fewer_than_one_place_is_refused() -> None:
    """A gate without places would let nothing through, ever."""
    with pytest.raises(ValueError, match="places must be 1 or more, got 0"):
        Limiter(0)


def test_repr_shows_the_counts() -> None:
    """The repr says how many places there are, are in use, and are waited for."""

    async def main() -> str:
        limiter = Limiter(1)
        await limiter.acquire()
        waiter = asyncio.create_task(limiter.acquire())
        await settle()
        shown = repr(limiter)
        waiter.cancel()
        return shown

    assert run(main()) == "<Limiter 1 of 1 places in use, 1 waiting>"


def test_cancelled_waiter_takes_nothing() -> None:
    """A cancelled wait leaves no trace, and the next in line goes."""

    async def main() -> tuple[list[int], str]:
        limiter = Limiter(1, learn=False)
        held = await limiter.acquire()
        (first, second), order = await queue(limiter, [1, 1])
        first.cancel()
        await settle()
        limiter.release(held)
        await settle()
        limiter.release(second.result())
        return order, repr(limiter)

    assert run(main()) == ([1], "<Limiter 0 of 1 places in use, 0 waiting>")


def test_cancelled_large_waiter_lets_the_others_go() -> None:
    """When the one that the places were kept for gives up, the rest goes at once."""

    async def main() -> list[int]:
        limiter = Limiter(2, learn=False)
        await limiter.acquire()
        (large, *rest), order = await queue(limiter, [2, 2, 1])
        large.cancel()
        rest[0].cancel()
        await settle()
        return order

    assert run(main()) == [2]


def test_place_granted_to_a_cancelled_task_is_given_back() -> None:
    """A task cancelled after its places came, but before it ran, keeps none."""

    async def main() -> int:
        limiter = Limiter(1, learn=False)
        held = await limiter.acquire()
        (waiter,), _ = await queue(limiter, [1])
        limiter.release(held)
        waiter.cancel()
        await settle()
        assert waiter.cancelled()
        return limiter.in_use

    assert run(main()) == 0


def test_pause_lets_nothing_through_for_its_time() -> None:
    """A pause holds back new requests, and those that wait, until it is over."""

    async def main() -> tuple[float, float]:
        loop, limiter = asyncio.get_running_loop(), Limiter(2, learn=False)
        held = await limiter.acquire(2)
        (waiter,), _ = await queue(limiter, [1])
        limiter.pause(7.0)
        limiter.release(held)
        await waiter
        limiter.pause(5.0)
        before = loop.time()
        await limiter.acquire()
        return before, loop.time() - before

    before, waited = run(main())
    assert before == pytest.approx(7.0)
    assert waited == pytest.approx(5.0)


def test_no_alarm_is_left_behind() -> None:
    """When the last waiter of a closed gate gives up, its timer is gone."""

    async def main() -> float:
        limiter = Limiter()
        limiter.pause(60.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await limiter.acquire()
        return asyncio.get_running_loop().time()

    assert run(main()) == pytest.approx(1.0)


def test_learning_gate_follows_a_refusal() -> None:
    """A refusal lowers the limit to what is in flight, or to what it names."""

    async def main() -> tuple[int, int]:
        limiter = Limiter(10)
        held = [await limiter.acquire() for _ in range(10)]
        limiter.release(held.pop(), Verdict.REFUSED)
        lower = limiter.limit
        limiter.release(held.pop(), Verdict.REFUSED, max_inflight_requests=5)
        return lower, limiter.limit

    assert run(main()) == (9, 5)


def test_fixed_gate_learns_nothing() -> None:
    """A gate that is not to learn keeps its size whatever happens."""

    async def main() -> int:
        limiter = Limiter(3, learn=False)
        limiter.release(await limiter.acquire(), Verdict.REFUSED)
        return limiter.limit

    assert run(main()) == 3
