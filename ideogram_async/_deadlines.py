"""Ends attempts whose time is up, by one alarm of the event loop for all of them.

aiohttp would set an alarm for each, and look at it in every read, which takes a
twenty-fifth of the instructions of a request.
"""

from __future__ import annotations

import asyncio
import math
from typing import Any


class Deadline:
    """The moment when the time of a task is up.

    It is what `asyncio.timeout` is, with an alarm that it shares with others.

    Args:
        task: The current one.

    Attributes:
        moment: When, by the event loop's clock.
        has_rung: Whether it has come, and the task was cancelled.
    """

    __slots__ = ("_before", "_task", "has_rung", "moment")

    def __init__(self, task: asyncio.Task[Any], moment: float) -> None:
        self.moment = moment
        self._task, self._before, self.has_rung = task, task.cancelling(), False

    @property
    def is_over(self) -> bool:
        """Whether the task was cancelled because of it, and for nothing else."""
        return self.has_rung and self._task.cancelling() == self._before + 1

    def ring(self) -> None:
        """Cancel the task."""
        self.has_rung = True
        self._task.cancel()

    def lift(self) -> None:
        """Take the cancellation back."""
        self._task.uncancel()


class Deadlines:
    """All that have begun and not ended, in one event loop at a time."""

    def __init__(self) -> None:
        self._open: set[Deadline] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._rings_at = math.inf

    def begin(self, loop: asyncio.AbstractEventLoop, seconds: float) -> Deadline:
        """Cancel the current task of *loop* in so many *seconds*, unless it is ended.

        Python 3.11 makes a system call to look up the loop, so that is done once.
        """
        task: Any = asyncio.current_task(loop)
        moment = loop.time() + seconds
        deadline = Deadline(task, moment)
        self._open.add(deadline)
        if moment < self._rings_at or loop is not self._loop:
            self._set(loop, moment)
        return deadline

    def end(self, deadline: Deadline) -> None:
        """End it; its task stays cancelled only if somebody else has cancelled it."""
        self._open.discard(deadline)
        if deadline.has_rung:
            deadline.lift()

    def close(self) -> None:
        """Cancel the alarm, if it is for nobody."""
        if not self._open:
            self._silence()

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm, self._loop, self._rings_at = None, None, math.inf

    def _set(self, loop: asyncio.AbstractEventLoop, moment: float) -> None:
        self._silence()
        self._loop, self._rings_at = loop, moment
        self._alarm = loop.call_at(moment, self._ring)

    def _ring(self) -> None:
        """Cancel what is late, and set the alarm for the next."""
        loop = asyncio.get_running_loop()
        self._silence()
        now = loop.time()
        for deadline in [each for each in self._open if each.moment <= now]:
            self._open.discard(deadline)
            deadline.ring()
        if self._open:
            self._set(loop, min(each.moment for each in self._open))
