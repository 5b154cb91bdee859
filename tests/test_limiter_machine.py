"""The gate, used at random: nothing is lost, and nobody starves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from ideogram_async import Limiter
from ideogram_async._learning import LONGEST_CLOSURE, Lease, Verdict

from .gate_simulation import VirtualLoop, settle


class LimiterMachine(RuleBasedStateMachine):
    """Acquire, release and cancel at random; nothing is lost and nobody starves."""

    leases = Bundle("leases")
    waits = Bundle("waits")

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.waiting = list[asyncio.Task[Lease]]()
        self.held = list[Lease]()

    @initialize(places=st.integers(1, 12), learn=st.booleans())
    def make(self, places: int, *, learn: bool) -> None:
        self.limiter = Limiter(places, learn=learn)

    @rule(
        target=waits,
        places=st.integers(1, 8),
        front=st.booleans(),
        leaves=st.booleans(),
    )
    def acquire(self, places: int, *, front: bool, leaves: bool) -> asyncio.Task[Lease]:
        wait = self.limiter.acquire(places, front=front, leaves=leaves)
        task = self.loop.create_task(wait)
        self.waiting.append(task)
        self.run(settle())
        return task

    @rule(
        at=st.integers(0, 20),
        verdict=st.sampled_from(Verdict),
        named=st.none() | st.integers(1, 20),
        cancelled=st.none() | waits,
    )
    def release(
        self,
        at: int,
        verdict: Verdict,
        named: int | None,
        cancelled: asyncio.Task[Lease] | None,
    ) -> None:
        """Give a lease back, and cancel a task in the same breath."""
        if self.held:
            lease = self.held.pop(at % len(self.held))
            self.run(self.give_back(lease, verdict, named, cancelled))

    @rule(task=consumes(waits))
    def cancel(self, task: asyncio.Task[Lease]) -> None:
        task.cancel()
        self.run(settle())

    @rule(places=st.integers(1, 8))
    def try_acquire(self, places: int) -> None:
        self.run(self.try_once(places))

    @rule(seconds=st.floats(0, 40), is_down=st.booleans())
    def pause(self, seconds: float, *, is_down: bool) -> None:
        """Let nothing through for a while; who can leave, leaves if it is down."""
        self.run(self.paused(seconds, is_down=is_down))

    @rule(seconds=st.floats(0, 40))
    def pass_time(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    @invariant()
    def counts_are_true(self) -> None:
        if hasattr(self, "limiter"):
            assert self.limiter.in_use == sum(lease.places for lease in self.held)
            assert self.limiter.waiting == len(self.waiting)
            assert self.limiter.limit >= 1

    def teardown(self) -> None:
        """Serve everybody; then all places are free."""
        for _ in range(20 * len(self.waiting)):
            if not self.waiting:
                break
            if self.held:
                lease = self.held.pop(0)
                self.run(self.give_back(lease, Verdict.SERVED, None, None))
            self.run(asyncio.sleep(LONGEST_CLOSURE))
        while self.held:
            lease = self.held.pop()
            self.run(self.give_back(lease, Verdict.SERVED, None, None))
        assert not self.waiting
        if hasattr(self, "limiter"):
            assert self.limiter.in_use == self.limiter.waiting == 0
        self.loop.close()

    async def try_once(self, places: int) -> None:
        if lease := self.limiter.try_acquire(places):
            assert not self.waiting, "somebody was passed"
            self.held.append(lease)

    async def paused(self, seconds: float, *, is_down: bool) -> None:
        self.limiter.pause(seconds, is_down=is_down)
        before = self.limiter.in_use
        await settle()
        assert not seconds or self.limiter.in_use == before

    async def give_back(
        self,
        lease: Lease,
        verdict: Verdict,
        named: int | None,
        cancelled: asyncio.Task[Lease] | None,
    ) -> None:
        self.limiter.release(lease, verdict, max_inflight_requests=named)
        if cancelled is not None:
            cancelled.cancel()
        await settle()

    def run(self, step: Coroutine[Any, Any, None]) -> None:
        """Take *step*; what came through meanwhile was within the limit, or alone."""
        self.loop.run_until_complete(step)
        for task in [task for task in self.waiting if task.done()]:
            self.waiting.remove(task)
            if not task.cancelled() and not task.exception():
                lease = task.result()
                assert lease.level <= self.limiter.limit or lease.level == lease.places
                self.held.append(lease)


LimiterMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None
)


class TestLimiterMachine(LimiterMachine.TestCase):
    """Whatever happens in whatever order, the gate keeps its promises."""
