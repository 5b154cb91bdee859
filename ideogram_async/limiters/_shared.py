"""What all shared limiters have in common: who is asked in which event loop."""

from __future__ import annotations

import asyncio
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .._gate import checked_places
from .._learning import Lease, Verdict
from ._member import Membership
from ._notes import View
from ._store import Store


class SharedLimiter(ABC):
    """A gate that several processes share.

    Each event loop that uses it is a member of its own, also after a fork.

    Args:
        places: Images that may be in progress when nobody has learnt better yet.
    """

    def __init__(self, places: int | None) -> None:
        self._view = View(checked_places(places))
        self._members: dict[asyncio.AbstractEventLoop, Membership] = {}

    @abstractmethod
    def _store(self, member: str, wake: Callable[[], None]) -> Store:
        """Return the store for a member, which *wake* tells of news."""
        ...

    def __repr__(self) -> str:
        """Return the counts."""
        return (
            f"<{type(self).__name__} {self.in_use} of {self.limit} places in use,"
            f" {self.waiting} waiting>"
        )

    @property
    def limit(self) -> int:
        """Places that may be in use at once, as last seen."""
        return self._view.limit

    @property
    def in_use(self) -> int:
        """Places in use by all processes, as last seen."""
        return self._view.in_use

    @property
    def waiting(self) -> int:
        """Requests of all processes that wait for places, as last seen."""
        return self._view.waiting

    @property
    def is_failing(self) -> bool:
        """Whether the gate is closed because the service is down."""
        member = self._here()
        return member is not None and member.is_failing

    def try_acquire(self, places: int) -> Lease | None:  # noqa: ARG002  # the protocol's
        """Return None: others have to be asked, as `acquire` does at once."""
        return None

    async def acquire(
        self, places: int = 1, *, front: bool = False, leaves: bool = False
    ) -> Lease:
        """Wait until *places* are free, and take them.

        Args:
            places: How many; a request for more than the limit runs alone.
            front: Whether to go before all others, as a refused request does.
            leaves: Whether to give up when the service is down: it can go elsewhere.

        Returns:
            What `release` takes back, in the same event loop.

        Raises:
            ConnectionFailedError: The service is down, and *leaves*.
        """
        member = self._here()
        if member is None:
            member = self._joined()
            await asyncio.sleep(0)  # lets its pump begin, which then ends in order
        return await member.acquire(places, front=front, leaves=leaves)

    def release(
        self,
        lease: Lease,
        verdict: Verdict = Verdict.ABANDONED,
        *,
        max_inflight_requests: int | None = None,
    ) -> None:
        """Give the places of *lease* back, and learn from what became of them.

        Args:
            lease: What `acquire` returned; each is given back once.
            verdict: What became of it.
            max_inflight_requests: The limit that a refusal named, or None.
        """
        member = self._here()
        if member is not None:
            member.release(lease, verdict, max_inflight_requests)

    def pause(self, seconds: float, *, is_down: bool = False) -> None:
        """Let nothing through in any process for *seconds*, as a `Retry-After` asks."""
        member = self._here()
        if member is not None:  # else nobody here has sent anything
            member.pause(seconds, is_down=is_down)

    async def aclose(self) -> None:
        """Leave the others, in this event loop; it may be used again.

        It is done by itself when the loop ends. Places that are still held stay counted
        for 30 seconds.
        """
        member = self._members.pop(asyncio.get_running_loop(), None)
        if member is not None:
            await member.aclose()

    async def __aenter__(self) -> Self:
        """Return the limiter."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the others, as `aclose` does."""
        await self.aclose()

    def _here(self) -> Membership | None:
        member = self._members.get(asyncio.get_running_loop())
        return None if member is None or member.is_over else member

    def _joined(self) -> Membership:
        """Return the new membership of the running event loop."""
        for loop, other in [*self._members.items()]:
            if other.is_over:
                self._members.pop(loop, None)
        name = secrets.token_hex(8)
        store = self._store(name, lambda: member.wake())  # noqa: PLW0108  # made below
        member = Membership(name, store, self.limit, self._see)
        self._members[asyncio.get_running_loop()] = member
        return member

    def _see(self, view: View) -> None:
        self._view = view
