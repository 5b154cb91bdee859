"""What hands out places: the interface of every limiter."""

from __future__ import annotations

from typing import Final, Protocol

from ._learning import Lease, Verdict
from .errors import ConnectionFailedError


DEFAULT_PLACES: Final = 10
"""The service's documented default."""


class Gate(Protocol):
    """Hands out places, one per image in progress: what `limiter` of a client may be.

    `Limiter` is the one for one event loop, `HostLimiter` the one for all processes of
    a machine, and `PostgresLimiter` the one for many machines.
    """

    @property
    def limit(self) -> int:
        """Places that may be in use at once, as far as is known."""
        ...

    @property
    def in_use(self) -> int:
        """Places in use, as far as is known."""
        ...

    @property
    def waiting(self) -> int:
        """Requests that wait for places, as far as is known."""
        ...

    @property
    def is_failing(self) -> bool:
        """Whether the gate is closed because the service is down."""
        ...

    def try_acquire(self, places: int) -> Lease | None:
        """Take *places* if that takes no waiting of any kind; else return None."""
        ...

    async def acquire(
        self, places: int = 1, *, front: bool = False, leaves: bool = False
    ) -> Lease:
        """Wait until *places* are free, and take them.

        Args:
            places: How many; a request for more than the limit runs alone.
            front: Whether to go before all others, as a refused request does.
            leaves: Whether to give up when the service is down: it can go elsewhere.

        Returns:
            What `release` takes back.

        Raises:
            ConnectionFailedError: The service is down, and *leaves*.
        """
        ...

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
        ...

    def pause(self, seconds: float, *, is_down: bool = False) -> None:
        """Let nothing through for *seconds*, as a `Retry-After` asks."""
        ...


def checked_places(places: int | None) -> int:
    """Return *places*; the default if they are None.

    Raises:
        ValueError: They are less than 1.
    """
    if places is None:
        return DEFAULT_PLACES
    if places < 1:
        raise ValueError(f"places must be 1 or more, got {places}")
    return places


def down() -> ConnectionFailedError:
    """Return the error of those that leave."""
    return ConnectionFailedError("the service is down; nothing was sent")
