"""Members of one ledger, in virtual time: waits, renewal, and a store that is lost."""

from __future__ import annotations

import asyncio
import logging

import pytest

from ideogram_async import ConnectionFailedError, NotSentError
from ideogram_async._learning import FAILURES_TO_CLOSE, Lease, Verdict
from ideogram_async._queue import LOOK_AHEAD
from ideogram_async.limiters._ledger import TIME_TO_LIVE
from ideogram_async.limiters._member import LONGEST_RETRY, Membership
from tests.gate_simulation import run, settle

from .memory import Memory, take


DELAYS = pytest.mark.parametrize("delay", [0.0, 0.002], ids=["at once", "awaited"])


def waiter(member: Membership, places: int = 1) -> asyncio.Task[Lease]:
    """Start to wait for *places*."""
    return asyncio.create_task(take(member, places))


@DELAYS
def test_place_of_another_member_is_waited_for(delay: float) -> None:
    """What one member gives back, the other gets, in order."""

    async def main() -> tuple[int, int]:
        memory = Memory.of(2, delay)
        (a, _), (b, views) = memory.member(), memory.member()
        held = await take(a, 2)
        large, small = waiter(b, 2), waiter(b)
        await asyncio.sleep(1.0)
        assert not large.done()
        a.release(held, Verdict.SERVED, None)
        b.release(await large, Verdict.SERVED, None)
        b.release(await small, Verdict.SERVED, None)
        await asyncio.sleep(0.1)
        await a.aclose()
        await b.aclose()
        return memory.ledger.in_use, views[-1].waiting

    assert run(main()) == (0, 0)


@DELAYS
def test_held_places_are_renewed(delay: float) -> None:
    """Who holds places for minutes keeps them, and who is closed keeps none."""

    async def main() -> tuple[int, list[str]]:
        memory = Memory.of(2, delay)
        a, _ = memory.member()
        held = await take(a)
        await asyncio.sleep(10 * TIME_TO_LIVE)
        b, _ = memory.member()
        await take(b)
        in_use = memory.ledger.in_use
        a.release(held, Verdict.SERVED, None)
        await a.aclose()
        await asyncio.sleep(2 * TIME_TO_LIVE)
        left = [*memory.ledger.members]
        await b.aclose()
        return in_use, left

    in_use, left = run(main())
    assert (in_use, len(left)) == (2, 1)


@DELAYS
def test_idle_member_costs_nothing(delay: float) -> None:
    """Who holds nothing and waits for nothing writes nothing."""

    async def main() -> int:
        memory = Memory.of(2, delay)
        a, _ = memory.member()
        a.release(await take(a), Verdict.SERVED, None)
        await asyncio.sleep(1.0)
        before = memory.changes
        await asyncio.sleep(1000.0)
        written = memory.changes - before
        await a.aclose()
        return written

    assert run(main()) == 0


@DELAYS
def test_cancelled_waits_leave_nothing(delay: float) -> None:
    """Cancelled before, while and after its places are given: none is lost."""

    async def main() -> tuple[int, int]:
        memory = Memory.of(1, delay)
        a, _ = memory.member()
        for steps in range(12):
            held = await take(a)
            task = waiter(a)
            await settle()
            a.release(held, Verdict.SERVED, None)
            for _ in range(steps):
                await asyncio.sleep(delay / 4)
            if task.cancel():
                await settle()
            if task.done() and not task.cancelled():
                a.release(task.result(), Verdict.SERVED, None)
        await asyncio.sleep(0.1)
        ledger = memory.ledger
        await a.aclose()
        return ledger.in_use, ledger.waiting

    assert run(main()) == (0, 0)


def test_place_that_comes_in_the_moment_of_a_cancellation_is_given_back() -> None:
    """A task that is cancelled after its places came, but before it ran, keeps none."""

    async def main() -> int:
        memory = Memory.of(1)
        a, _ = memory.member()
        held = await take(a)
        task = waiter(a)
        await settle()
        a.release(held, Verdict.SERVED, None)
        task.cancel()
        await settle()
        await a.aclose()
        return memory.ledger.in_use

    assert run(main()) == 0


@DELAYS
def test_front_goes_first(delay: float) -> None:
    """A refused request goes before all that wait here, however many they are."""

    async def main() -> list[str]:
        memory = Memory.of(1, delay)
        (a, _), order = memory.member(), list[str]()

        async def go(name: str, *, front: bool = False) -> None:
            lease = await take(a, front=front)
            order.append(name)
            a.release(lease, Verdict.SERVED, None)

        held = await take(a)
        names = [str(number) for number in range(2 * LOOK_AHEAD)]
        tasks = [asyncio.create_task(go(name)) for name in names]
        await asyncio.sleep(1.0)
        tasks.append(asyncio.create_task(go("front", front=True)))
        await asyncio.sleep(1.0)
        a.release(held, Verdict.ABANDONED, None)
        await asyncio.gather(*tasks)
        await a.aclose()
        assert sorted(order) == sorted([*names, "front"])
        return order[:3]

    assert run(main()) == ["front", "0", "1"]


@DELAYS
def test_pause_is_shared_and_ends_for_all(delay: float) -> None:
    """Nothing goes for the time of a `Retry-After`, and then at once."""

    async def main() -> float:
        memory = Memory.of(2, delay)
        (a, _), (b, _) = memory.member(), memory.member()
        a.pause(7.0, is_down=False)
        await asyncio.sleep(0.1)
        lease = await take(b)
        waited = asyncio.get_running_loop().time()
        b.release(lease, Verdict.SERVED, None)
        await a.aclose()
        await b.aclose()
        return waited

    assert run(main()) == pytest.approx(7.0, abs=0.05)


@DELAYS
def test_who_can_go_elsewhere_does_when_the_service_is_down(delay: float) -> None:
    """A member learns from another that the service is down, and sends its own away."""

    async def main() -> tuple[bool, bool]:
        memory = Memory.of(1, delay)
        (a, _), (b, _) = memory.member(), memory.member()
        held = await take(a)
        leaving = asyncio.create_task(b.acquire(1, front=False, leaves=True))
        gone = asyncio.create_task(b.acquire(1, front=False, leaves=True))
        staying = waiter(b)
        await asyncio.sleep(0.1)
        a.pause(60.0, is_down=True)
        with pytest.raises(ConnectionFailedError, match="the service is down"):
            await leaving
        assert await asyncio.gather(gone, return_exceptions=True)
        failing = a.is_failing, b.is_failing
        a.release(held, Verdict.SERVED, None)
        b.release(await staying, Verdict.SERVED, None)
        assert not a.is_failing
        await a.aclose()
        await b.aclose()
        return failing

    assert run(main()) == (True, True)


def test_who_is_cancelled_as_the_service_goes_down_is_cancelled() -> None:
    """A wait that ends in two ways at once ends as the first of them."""

    async def main() -> int:
        memory = Memory.of(1)
        member, _ = memory.member()
        held = await take(member)
        leaving = asyncio.create_task(member.acquire(1, front=False, leaves=True))
        await asyncio.sleep(0.1)
        leaving.cancel()
        member.pause(60.0, is_down=True)
        with pytest.raises(asyncio.CancelledError):
            await leaving
        member.release(held, Verdict.SERVED, None)
        await member.aclose()
        return memory.ledger.waiting

    assert run(main()) == 0


def test_failures_are_counted_over_all() -> None:
    """Failures in a row close the gate, whoever had them."""

    async def main() -> bool:
        memory = Memory.of(10)
        members = [memory.member()[0] for _ in range(FAILURES_TO_CLOSE)]
        for member in members:
            member.release(await take(member), Verdict.FAILED, None)
        failing = members[-1].is_failing
        for member in members:
            await member.aclose()
        return failing

    assert run(main())


@DELAYS
def test_lost_store_leaves_each_its_share(
    delay: float, caplog: pytest.LogCaptureFixture
) -> None:
    """While the store is lost, two members have half the limit each; then all again."""
    caplog.set_level(logging.WARNING)

    async def main() -> tuple[int, int, int]:
        memory = Memory.of(10, delay)
        (a, views), (b, _) = memory.member(), memory.member()
        held = [await take(a), await take(b)]
        await asyncio.sleep(2.0)
        held.append(await take(a))
        memory.is_lost = True
        tasks = [waiter(a) for _ in range(10)]
        await asyncio.sleep(60.0)
        alone = sum(task.done() for task in tasks) + 2
        shown = views[-1].limit
        a.release(held[2], Verdict.SERVED, None)
        await asyncio.sleep(0.1)
        assert sum(task.done() for task in tasks) == 4
        memory.is_lost = False
        await asyncio.sleep(LONGEST_RETRY + 1)
        together = sum(task.done() for task in tasks)
        assert memory.ledger.in_use == 10
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0.1)
        await a.aclose()
        await b.aclose()
        return alone, shown, together

    assert run(main()) == (5, 5, 8)
    parted = "memory is lost; this process goes on alone with 5 of 10 places"
    back = "the shared limit is back"
    assert [each.getMessage() for each in caplog.records] == [parted] * 2 + [back] * 2


@DELAYS
def test_learning_and_pauses_go_on_alone(delay: float) -> None:
    """Who is alone still obeys what the service says."""

    async def main() -> tuple[int, float]:
        memory = Memory.of(4, delay)
        (a, views), loop = memory.member(), asyncio.get_running_loop()
        memory.is_lost = True
        held = [await take(a) for _ in range(4)]
        a.release(held.pop(), Verdict.REFUSED, 2)
        limit = views[-1].limit
        before = loop.time()
        a.pause(20.0, is_down=False)
        for lease in held:
            a.release(lease, Verdict.SERVED, None)
        await take(a)
        waited = loop.time() - before
        await a.aclose()
        return limit, waited

    limit, waited = run(main())
    assert limit == 2
    assert waited == pytest.approx(20.0, abs=0.05)


@DELAYS
def test_silent_store_gives_nothing_twice(delay: float) -> None:
    """What was written though the store seemed lost is found when it is back."""

    async def main() -> int:
        memory = Memory.of(4, delay)
        a, _ = memory.member()
        await take(a)
        memory.loses = True
        lease = await take(a)
        await asyncio.sleep(10.0)
        in_use = memory.ledger.in_use
        a.release(lease, Verdict.SERVED, None)
        await asyncio.sleep(1.0)
        assert memory.ledger.in_use == 1
        await a.aclose()
        return in_use

    assert run(main()) == 2


def test_places_taken_alone_while_the_store_answers_are_written_next() -> None:
    """What comes in while the way back is being written is written right after."""

    async def main() -> int:
        memory = Memory.of(4, delay=1.0)
        a, _ = memory.member()
        memory.is_lost = True
        first = await take(a)
        memory.is_lost = False
        tasks = list[asyncio.Task[Lease]]()
        for _ in range(30):
            await asyncio.sleep(0.1)
            if len(tasks) < 3:
                tasks.append(waiter(a))
        await asyncio.gather(*tasks)
        a.release(first, Verdict.SERVED, None)
        await asyncio.sleep(5.0)
        in_use = memory.ledger.in_use
        await a.aclose()
        return in_use

    assert run(main()) == 3


def test_what_is_still_held_outlives_the_member() -> None:
    """Places of a request that is under way stay counted when its program ends."""

    async def main() -> tuple[int, bool]:
        memory = Memory.of(4)
        a, _ = memory.member()
        lease = await take(a)
        await a.aclose()
        a.release(lease, Verdict.SERVED, None)
        return memory.ledger.in_use, a.is_over

    assert run(main()) == (1, True)


def test_lost_store_is_left_in_peace_at_the_end() -> None:
    """Who is alone says no farewell, and nor does who finds the store lost then."""

    async def main() -> None:
        memory = Memory.of(4)
        (a, _), (b, _) = memory.member(), memory.member()
        await take(b)
        memory.is_lost = True
        await take(a)
        await a.aclose()
        await b.aclose()

    run(main())


@DELAYS
def test_waits_end_with_the_limiter(delay: float) -> None:
    """Who still waits when the limiter is closed is told, and waits no more."""

    async def main() -> int:
        memory = Memory.of(1, delay)
        a, _ = memory.member()
        held = await take(a)
        waiting, gone = waiter(a), waiter(a)
        await asyncio.sleep(0.1)
        a.release(held, Verdict.SERVED, None)
        held = await waiting
        gone.cancel()
        waiting = waiter(a)
        await asyncio.sleep(0.1)
        await a.aclose()
        with pytest.raises(NotSentError, match="the limiter was closed while"):
            await waiting
        return memory.ledger.waiting

    assert run(main()) == 0


def test_who_comes_as_the_limiter_closes_is_told() -> None:
    """Who asks for places while the member says farewell does not wait for ever."""

    async def main() -> int:
        memory = Memory.of(4, 0.002)
        a, _ = memory.member()
        await take(a)
        closing = asyncio.create_task(a.aclose())
        await asyncio.sleep(0.001)
        with pytest.raises(NotSentError, match="the limiter was closed while"):
            await take(a)
        await closing
        return memory.ledger.waiting

    assert run(main()) == 0


@DELAYS
def test_thousand_waiters_that_are_cancelled_at_once(delay: float) -> None:
    """Holders and waiters that end in one moment leave no place in use."""

    async def main() -> tuple[int, int]:
        memory = Memory.of(4, delay)
        a, _ = memory.member()

        async def work() -> None:
            lease = await take(a)
            try:
                await asyncio.sleep(1000)
            finally:
                a.release(lease, Verdict.ABANDONED, None)

        tasks = [asyncio.create_task(work()) for _ in range(1000)]
        await asyncio.sleep(1)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(1)
        a.release(await take(a, 4), Verdict.SERVED, None)
        await a.aclose()
        others = [end for end in ends if not isinstance(end, asyncio.CancelledError)]
        return len(others), memory.ledger.in_use

    assert run(main()) == (0, 0)
