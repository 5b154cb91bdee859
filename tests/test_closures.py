"""When the gate closes: a service that refuses everything, or fails."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest

from ideogram_async import ConnectionFailedError, Limiter
from ideogram_async._learning import (
    FAILURES_TO_CLOSE,
    LONGEST_CLOSURE,
    LearntLimit,
    Verdict,
)

from .learnt import Gate, full


def test_lone_refusals_close_the_gate_for_a_growing_time() -> None:
    """Refused time and again with nothing in flight, it waits up to 30 seconds."""
    gate, now, waits = Gate(), 0.0, []
    for _ in range(24):
        gate.end(gate.take(at=now), Verdict.REFUSED, at=now)
        waits.append(gate.learnt.closed_until - now)
        now = gate.learnt.closed_until

    longest = [min(LONGEST_CLOSURE, 2.0**n) for n in range(24)]
    assert all(
        most / 2 - 1e-6 <= wait <= most + 1e-6
        for wait, most in zip(waits, longest, strict=True)
    )


def test_success_resets_the_growing_closure() -> None:
    """After an answer, the next lone refusal closes the gate for a second at most."""
    gate = Gate()
    for now in (0.0, 10.0, 20.0, 30.0):
        gate.end(gate.take(at=now), Verdict.REFUSED, at=now)
    gate.end(gate.take(at=60.0), Verdict.SERVED, at=66.0)
    gate.end(gate.take(at=70.0), Verdict.REFUSED, at=70.0)

    assert gate.learnt.closed_until <= 71.0


def test_failures_in_a_row_close_the_gate() -> None:
    """Five failures close it for a second at most; later ones meanwhile don't add."""
    gate, leases = full()
    for lease in leases[: FAILURES_TO_CLOSE - 1]:
        gate.end(lease, Verdict.FAILED, at=5.0)
    assert gate.learnt.closed_until == -math.inf
    for lease in leases[FAILURES_TO_CLOSE - 1 :]:
        gate.end(lease, Verdict.FAILED, at=5.0)

    assert 5.5 <= gate.learnt.closed_until <= 6.0
    assert not gate.learnt.allows(1, 0, 5.4)


@pytest.mark.parametrize("verdict", [Verdict.SERVED, Verdict.REJECTED, Verdict.REFUSED])
def test_any_answer_ends_a_row_of_failures(verdict: Verdict) -> None:
    """A service that answers at all is no failing service."""
    gate, leases = full()
    for lease in leases[:4]:
        gate.end(lease, Verdict.FAILED, at=5.0)
    gate.end(leases[4], verdict, at=5.0)
    gate.end(leases[5], Verdict.FAILED, at=5.0)

    assert gate.learnt.closed_until == -math.inf


def failing() -> Gate:
    """Return a gate closed by failures at 0 s."""
    gate, leases = full()
    for lease in leases:
        gate.end(lease, Verdict.FAILED, at=0.0)
    return gate


def test_one_trial_at_a_time_follows_a_closure() -> None:
    """When the gate opens again a single request tries; its success opens for all."""
    gate = failing()
    trial = gate.take(at=1.0)

    assert trial.is_trial
    assert not gate.learnt.allows(1, 1, 1.0)
    gate.end(trial, Verdict.SERVED, at=7.0)
    assert gate.learnt.allows(9, 1, 7.0)


def test_an_abandoned_trial_makes_way_for_another() -> None:
    """A cancelled trial says nothing, so the next one tries."""
    gate = failing()
    gate.end(gate.take(at=1.0), Verdict.ABANDONED, at=1.5)

    assert gate.learnt.allows(1, 0, 1.5)
    assert gate.take(at=1.5).is_trial


def test_failed_trials_close_the_gate_for_a_growing_time() -> None:
    """Closures double from trial to trial, up to 30 seconds."""
    gate, now, waits = failing(), 1.0, []
    for _ in range(8):
        gate.end(gate.take(at=now), Verdict.FAILED, at=now)
        waits.append(gate.learnt.closed_until - now)
        now = gate.learnt.closed_until

    longest = [2, 4, 8, 16, 30, 30, 30, 30]
    assert all(
        most / 2 - 1e-6 <= wait <= most + 1e-6
        for wait, most in zip(waits, longest, strict=True)
    )


def test_the_later_closure_holds() -> None:
    """A short pause does not shorten a long one."""
    learnt = LearntLimit(10)
    learnt.close(0.0, 60.0)
    learnt.close(1.0, 5.0)

    assert learnt.closed_until == 60.0


async def test_nobody_is_looked_for_who_does_not_leave() -> None:
    """Waits that end while the service is down don't each search all others."""

    class Watched(deque[Any]):
        looks = 0

        def __iter__(self) -> Iterator[Any]:
            Watched.looks += 1
            return super().__iter__()

    limiter = Limiter(1)
    limiter._queue = Watched()
    limiter.pause(60, is_down=True)
    tasks = [asyncio.create_task(limiter.acquire()) for _ in range(100)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(each) for each in ended} == {asyncio.CancelledError}
    assert (limiter.waiting, Watched.looks) == (0, 0)


async def test_only_those_leave_who_can_go_elsewhere() -> None:
    """While the service is down, who has nowhere else to go waits on."""
    limiter = Limiter(1)
    lease = await limiter.acquire()
    stays = asyncio.create_task(limiter.acquire())
    leaves = asyncio.create_task(limiter.acquire(leaves=True))
    await asyncio.sleep(0)
    limiter.pause(60, is_down=True)
    limiter.release(lease)

    with pytest.raises(ConnectionFailedError, match="down"):
        await leaves
    assert limiter.waiting == 1
    stays.cancel()
    await asyncio.wait([stays])
    assert limiter.waiting == 0
