"""What is opened in a thread, and not left open by who is cancelled meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import anyio


class Closable(Protocol):
    """What has to be closed."""

    def close(self) -> object:
        """Close it; once more does no harm."""
        ...


C = TypeVar("C", bound=Closable)


async def opened(make: Callable[[], C]) -> C:
    """Return what *make*, called in a thread, returns; it is the caller's to close.

    A thread can't be cancelled: it goes on where the task is, and what it then makes
    belongs to nobody. So it is closed here.
    """
    made: list[C] = []
    is_left = False

    def work() -> C:
        made.append(make())
        if is_left:
            made[0].close()
        return made[0]

    try:
        return await anyio.to_thread.run_sync(work)
    except BaseException:
        is_left = True
        for each in made:
            each.close()
        raise
