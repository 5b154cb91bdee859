"""A ledger in memory, for members of one event loop whose time is virtual."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

import attrs

from ideogram_async import Limiter
from ideogram_async._learning import LearntLimit, Lease
from ideogram_async.limiters._ledger import Ledger
from ideogram_async.limiters._member import Membership
from ideogram_async.limiters._notes import View
from ideogram_async.limiters._store import Change, UnreachableError


@attrs.define
class Memory:
    """What all stores of a test share.

    Attributes:
        text: The ledger.
        is_lost: Whether it can't be reached.
        loses: Whether what is written arrives, but the answer does not.
        delay: Seconds that a change takes; 0 for none at all.
        changes: How many there were.
    """

    text: str
    is_lost: bool = False
    loses: bool = False
    delay: float = 0.0
    changes: int = 0
    names: Iterator[int] = attrs.field(factory=count)

    @classmethod
    def of(cls, places: int, delay: float = 0.0) -> Memory:
        """Return one that begins with *places*."""
        return cls(Ledger(LearntLimit(places)).text(), delay=delay)

    @property
    def ledger(self) -> Ledger:
        """What is written."""
        return Ledger.from_text(self.text)

    def member(self, places: int = 10) -> tuple[Membership, list[View]]:
        """Return a new member of the running loop, and what it has seen."""
        views = list[View]()
        name = f"m{next(self.names)}"
        return Membership(name, MemoryStore(self), places, views.append), views


class MemoryStore:
    """A ledger in memory."""

    def __init__(self, memory: Memory) -> None:
        self.poll_every = 0.05
        self.memory = memory
        self.seen = -1

    def change_now(self, change: Change) -> bool:
        if self.memory.delay:
            return False
        self.write(change)
        return True

    async def change(self, change: Change) -> None:
        await asyncio.sleep(self.memory.delay / 2)
        ledger = self.read()
        change(ledger, self.now)
        await asyncio.sleep(self.memory.delay / 2)
        self.save(ledger)

    def has_news(self) -> bool:
        return self.seen != self.memory.changes

    async def aclose(self) -> None:
        """Close nothing."""

    @property
    def now(self) -> float:
        """The ledger's clock."""
        return asyncio.get_running_loop().time() + 1_000_000

    def read(self) -> Ledger:
        if self.memory.is_lost:
            raise UnreachableError("memory is lost")
        return self.memory.ledger

    def save(self, ledger: Ledger) -> None:
        if self.memory.is_lost:
            raise UnreachableError("memory is lost")
        self.memory.text = ledger.text()
        self.memory.changes += 1
        self.seen = self.memory.changes
        if self.memory.loses:
            self.memory.loses = False
            raise UnreachableError("memory is silent")

    def write(self, change: Change) -> None:
        ledger = self.read()
        change(ledger, self.now)
        self.save(ledger)


async def take(
    member: Membership | Limiter, places: int = 1, *, front: bool = False
) -> Lease:
    """Return a lease of *places*."""
    return await member.acquire(places, front=front, leaves=False)
