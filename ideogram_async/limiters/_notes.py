"""What a member of a shared limit notes down, as plain values."""

from __future__ import annotations

import asyncio

import attrs

from .._learning import Lease
from ._ledger import Ledger


@attrs.define(eq=False)
class Waiter:
    """One that waits here.

    Attributes:
        number: By which the ledger knows it.
        places: How many it needs.
        ready: Gets its lease.
        is_front: Whether it goes before all others.
        leaves: Whether it gives up when the service is down.
    """

    number: int
    places: int
    ready: asyncio.Future[Lease]
    is_front: bool
    leaves: bool

    def fail(self, error: Exception) -> None:
        """End the wait with *error*, unless it has ended."""
        if not self.ready.done():
            self.ready.set_exception(error)


@attrs.frozen
class View:
    """What is known of all members, as of the last transaction.

    Attributes:
        limit: Places that there are.
        in_use: Places in use.
        waiting: Requests that wait.
        members: How many share the limit.
    """

    limit: int
    in_use: int = 0
    waiting: int = 0
    members: int = 1


@attrs.frozen(eq=False)
class Draft:
    """What a transaction brings, once it is written.

    Attributes:
        ledger: As it is then.
        ahead: How far the event loop's clock is ahead of the ledger's.
        written: How much of the news is told.
        granted: The new leases of this member, by number.
    """

    ledger: Ledger
    ahead: float
    written: int
    granted: dict[int, Lease]
