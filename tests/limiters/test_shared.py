"""Limiters on real stores: the same behaviour on a file and on a database."""

from __future__ import annotations

import asyncio
import os
import sys
import threading

import pytest

from ideogram_async import GenerateV3, HostLimiter, IdeogramClient, NotSentError
from ideogram_async._learning import Verdict
from ideogram_async.limiters._ledger import Ledger
from ideogram_async.sandbox import Sandbox

from .homes import Home


def test_fewer_than_one_place_is_refused() -> None:
    """A limit without places would let nothing through, ever."""
    with pytest.raises(ValueError, match="places must be 1 or more, got 0"):
        HostLimiter("limit.db", 0)


def test_it_is_known_before_an_event_loop_runs(home: Home) -> None:
    """A client can be made, and its limiter shown, while nothing runs yet."""
    limiter = home.limiter(4)
    client = IdeogramClient("key", limiter=limiter)

    assert client.limiter is limiter
    assert (limiter.limit, limiter.in_use, limiter.waiting) == (4, 0, 0)
    assert repr(limiter).endswith("Limiter 0 of 4 places in use, 0 waiting>")


async def test_two_limiters_are_one(home: Home) -> None:
    """What one holds the other waits for, and what one learns the other knows."""
    async with home.limiter() as one, home.limiter() as other:
        held = await one.acquire(10)
        assert one.try_acquire(1) is None
        waiting = asyncio.create_task(other.acquire(3))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        one.release(held, Verdict.REFUSED, max_inflight_requests=7)
        lease = await waiting
        assert (other.in_use, other.limit) == (3, 7)
        other.release(lease, Verdict.SERVED)
        other.release(lease, Verdict.SERVED)  # a lease is given back once
        lease = await one.acquire()
        assert one.limit == 7
        one.release(lease)


async def test_pause_is_shared(home: Home) -> None:
    """A pause that one asks for holds the other back, and its end wakes it."""
    loop = asyncio.get_running_loop()
    async with home.limiter() as one, home.limiter() as other:
        one.release(await one.acquire())
        one.pause(1.0, is_down=True)
        while not one.is_failing:  # noqa: ASYNC110  # until it is written down
            await asyncio.sleep(0.01)
        began = loop.time()
        other.release(await other.acquire())
        assert loop.time() - began > 0.3
        assert not other.is_failing


async def test_nothing_is_asked_of_who_has_not_begun(home: Home) -> None:
    """Who has not taken anything has nothing to say, and can be closed."""
    limiter = home.limiter()
    limiter.pause(10.0)
    assert not limiter.is_failing
    await limiter.aclose()
    lease = await limiter.acquire()
    await limiter.aclose()
    limiter.release(lease)


def test_limiter_works_in_loop_after_loop(home: Home) -> None:
    """Each `asyncio.run` leaves nothing behind, though nobody closes the limiter."""
    limiter = home.limiter(1)

    async def once() -> int:
        lease = await limiter.acquire()
        waiting = asyncio.create_task(limiter.acquire())
        await asyncio.sleep(0)
        limiter.release(lease)
        limiter.release(await waiting)
        again = await limiter.acquire()
        limiter.release(again)
        await asyncio.sleep(0.05)
        return limiter.in_use

    assert [asyncio.run(once()) for _ in range(3)] == [0, 0, 0]


def test_loops_of_several_threads_share(home: Home) -> None:
    """Threads with event loops of their own are members like processes."""
    limiter, lock = home.limiter(2), threading.Lock()
    in_use, most = 0, 0

    async def work() -> None:
        nonlocal in_use, most
        for _ in range(5):
            lease = await limiter.acquire()
            with lock:
                in_use += 1
                most = max(most, in_use)
            await asyncio.sleep(0.02)
            with lock:
                in_use -= 1
            limiter.release(lease, Verdict.ABANDONED)

    threads = [threading.Thread(target=asyncio.run, args=(work(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 1 <= most <= 2


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
async def test_forked_child_is_a_member_of_its_own(home: Home) -> None:
    """A child of a fork shares the limit, and breaks nothing of its parent's."""
    limiter = home.limiter(2)
    held = await limiter.acquire()
    child = os.fork()
    if not child:  # pragma: no cover  # in another process

        async def main() -> None:
            lease = await limiter.acquire()
            os._exit(0 if limiter.in_use == 2 else 1)
            limiter.release(lease)

        threading.Thread(target=asyncio.run, args=(main(),)).start()
        threading.Event().wait(30)
        os._exit(2)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)
    limiter.release(held, Verdict.SERVED)
    limiter.release(await limiter.acquire())
    await limiter.aclose()

    assert os.waitstatus_to_exitcode(status) == 0


async def test_clients_share_what_the_service_refuses(home: Home) -> None:
    """Two clients find a limit of 3 together, and then keep it."""
    async with (
        Sandbox(limit=3, latency=0.05) as sandbox,
        home.limiter() as one,
        home.limiter() as other,
        IdeogramClient("key", base_url=sandbox.url, limiter=one) as first,
        IdeogramClient("key", base_url=sandbox.url, limiter=other) as second,
    ):
        requests = [GenerateV3(f"cat {n}", num_images=1 + n % 2) for n in range(20)]
        batches = await asyncio.gather(
            first.send_many(requests), second.send_many(requests)
        )
        assert [batch.failures for batch in batches] == [[], []]
        assert sandbox.service.ledger.most_in_progress <= 3
        assert first.limiter.limit <= 4
        last_seen = [client.stats().waiting for client in (first, second)]
        assert 0 in last_seen  # by who came last


def test_another_format_is_another_ledger() -> None:
    """The text of a ledger is for programs of its own format only."""
    with pytest.raises(ValueError, match="it is of another shape"):
        Ledger.from_text("[[1, 2], 3, 4, 5]")


async def test_closed_as_it_is_first_used(home: Home) -> None:
    """Who asks for the first places just when the limiter is closed is told."""
    limiter = home.limiter()
    waiting = asyncio.create_task(limiter.acquire())
    await asyncio.sleep(0)
    await limiter.aclose()

    with pytest.raises(NotSentError, match="the limiter was closed while"):
        await waiting
