"""Who goes next: first come, first served, unless the first does not fit.

Where the first needs more places than are free, one of the next that fits may pass, but
nobody is passed for ever. A request for more than the whole limit runs alone, and those
that fit go before it, since the service may refuse it for ever.
"""

from __future__ import annotations

from collections.abc import Callable, MutableSequence
from typing import Final, Protocol, TypeVar


LOOK_AHEAD: Final = 32
"""How many waiters are looked at for one that fits."""
MOST_PASSES: Final = 32
"""How often a waiter may be passed."""


class Waiting(Protocol):
    """One who waits.

    Attributes:
        places: How many it needs.
        passes: How often it was passed.
    """

    places: int
    passes: int

    @property
    def is_gone(self) -> bool:
        """Whether it waits no more."""
        ...


W = TypeVar("W", bound=Waiting)


def next_in(
    queue: MutableSequence[W], fits: Callable[[int], bool], limit: int
) -> W | None:
    """Remove and return the first that may go; one above *limit* only as a last.

    Args:
        queue: Those who wait, in order.
        fits: Whether so many places may be taken now.
        limit: The places that there are.
    """
    large: int | None = None
    for position in range(min(LOOK_AHEAD, len(queue))):
        waiter = queue[position]
        if waiter.is_gone:
            continue
        is_due = waiter.passes >= MOST_PASSES
        if fits(waiter.places):
            if is_due or waiter.places <= limit:
                return _removed(queue, position)
            large = position if large is None else large
        elif is_due:
            return None
    return None if large is None else _removed(queue, large)


def _removed(queue: MutableSequence[W], position: int) -> W:
    waiter = queue[position]
    del queue[position]
    for passed in range(position):
        queue[passed].passes += 1
    return waiter
