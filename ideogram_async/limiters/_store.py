"""Where the ledger is kept, so that all who share it see the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .._learning import LearntLimit
from ._ledger import Ledger


Change = Callable[[Ledger, float], set[str]]
"""Changes a ledger, given the time; returns the names of the members to wake."""


class UnreachableError(Exception):
    """The store can't be reached or written; says why, without secrets."""


class Store(Protocol):
    """A store, as one member has it open.

    Attributes:
        poll_every: Seconds between two questions for news while somebody waits.
    """

    poll_every: float

    def change_now(self, change: Change) -> bool:
        """Change the ledger at once, if that takes no waiting; return whether it was.

        Raises:
            UnreachableError: The store can't be used.
        """
        ...

    async def change(self, change: Change) -> None:
        """Change the ledger, in one transaction.

        Raises:
            UnreachableError: The store can't be used.
        """
        ...

    def has_news(self) -> bool:
        """Whether others may have given places to this member."""
        ...

    async def aclose(self) -> None:
        """Close it; it opens anew when it is used."""
        ...


def opened(text: str | None, places: int) -> Ledger:
    """Return the ledger that *text* tells; of None, a new one with *places*.

    Raises:
        UnreachableError: It tells none.
    """
    if text is None:
        return Ledger(LearntLimit(places))
    try:
        return Ledger.from_text(text)
    except ValueError:
        raise UnreachableError("there is something else in its place") from None
