"""How the gate's size follows the service: arithmetic alone, no clock and no waiting.

The service counts images in progress per organisation and answers 429 above a limit
that it does not tell, that differs between accounts, changes, and is shared with other
processes. A refused request neither runs nor costs anything. Four rules follow it:

* Start with 10, the documented default.
* A refusal shows what the service serves now: the limit becomes the places still in
  flight, or what the refusal itself names. A refused request for several places shows
  less: only that the limit is under all of them, so what was proven before stands up
  to there. The next completion is the clock. With nothing in flight there is no such
  clock, so the gate closes for a jittered, growing time.
* While work is waiting, one place more is tried from time to time: a probe. If it is
  served, half as many again are added at once. Time is counted in windows: as many
  answers as there are places. Until the first refusal a probe follows each window. Then
  refusals have a budget, one in 40 answers: within it the next probe waits 12 windows,
  over it, or once the service has named its limit, 18. Windows and not answers, since
  of two clients with one key the poorer one must try as often as the richer one.
* Connection failures and 5xx in a row, whoever got them, close the gate for 1, 2, ...
  30 seconds; then a single request tries.

All times are in seconds, on whatever clock the caller uses throughout.
"""

from __future__ import annotations

import math
import random
from enum import Enum, auto
from typing import Final

import attrs


ANSWERS_PER_REFUSAL: Final = 40
"""How many answers earn the budget for one refusal."""
EARNED: Final = 1 / ANSWERS_PER_REFUSAL
MOST_CREDIT: Final = 10.0
"""How many refusals may be saved up, and how many are remembered above the budget."""
WINDOWS: Final = 12
"""How many windows after a refusal the next place is tried, within the budget."""
MOST_WINDOWS: Final = 18
"""How many if the budget is spent, or the service has named its limit."""
STEP_GROWTH: Final = 1.5
FAILURES_TO_CLOSE: Final = 5
"""How many failures in a row close the gate."""
FIRST_CLOSURE: Final = 1.0
LONGEST_CLOSURE: Final = 30.0


class Verdict(Enum):
    """What became of an attempt, as far as the limit is concerned."""

    SERVED = auto()
    """The service ran it."""
    REFUSED = auto()
    """429: too many in progress; the service did not run it."""
    REJECTED = auto()
    """Another answer: the service is well, and says nothing of the limit."""
    FAILED = auto()
    """No connection, or a server error."""
    ABANDONED = auto()
    """Nothing is learnt: cancelled, or the time was up."""


@attrs.define(eq=False, repr=False)
class Lease:
    """Places taken for one attempt.

    Attributes:
        places: How many.
        taken_at: When.
        level: Places in flight then, these included.
        is_trial: Whether it tries a service that had failed.
    """

    places: int
    taken_at: float
    level: int
    is_trial: bool = False


@attrs.define(repr=False)
class LearntLimit:
    """The number of places, and whether the gate is open: a few numbers.

    Attributes:
        limit: Places that may be in use at once.
        closed_until: Nothing may be sent before this time.
        proven: Places that the service is known to serve.
        step: How many places the last probe added.
        answers: How many were served since the last probe or refusal.
        credit: Refusals that the answers have earned, less those that there were.
        is_named: Whether the service itself named the limit.
        refused_at: When the last refusal came.
        lone_refusals: Refusals in a row with nothing else in flight.
        failures: Failures in a row.
        trials: Trials in flight.
    """

    limit: int
    closed_until: float = -math.inf
    proven: int = attrs.field(
        default=attrs.Factory(lambda self: self.limit, takes_self=True)
    )
    step: float = 1.0
    answers: int = 0
    credit: float = 0.0
    is_named: bool = False
    refused_at: float = -math.inf
    lone_refusals: int = 0
    failures: int = 0
    trials: int = 0

    def allows(self, places: int, in_use: int, now: float) -> bool:
        """Whether *places* more may be taken; more than the limit only alone."""
        if now < self.closed_until or (self.trials and self.is_ailing):
            return False
        return in_use + places <= self.limit or not in_use

    def take(self, places: int, in_use: int, now: float) -> Lease:
        """Note that *places* are taken, which makes *in_use* in all."""
        is_trial = self.is_ailing
        self.trials += is_trial
        return Lease(places, now, in_use, is_trial)

    def learn(  # all that a release knows
        self,
        lease: Lease,
        verdict: Verdict,
        now: float,
        *,
        in_use: int,
        is_wanted: bool,
        named: int | None = None,
    ) -> None:
        """Follow what became of *lease*.

        Args:
            lease: The attempt that ended.
            verdict: What became of it.
            now: The time.
            in_use: Places still in flight, without this one's.
            is_wanted: Whether more places would be used.
            named: The limit that a refusal named, or None.
        """
        self.trials -= lease.is_trial
        if verdict is Verdict.FAILED:
            self._failed(now)
        elif verdict is not Verdict.ABANDONED:
            self.failures = 0
        if verdict is Verdict.SERVED:
            self._served(lease, is_wanted=is_wanted)
        elif verdict is Verdict.REFUSED:
            self._refused(lease, now, in_use, named)

    def close(self, now: float, seconds: float) -> None:
        """Let nothing through for *seconds* from *now*."""
        self.closed_until = max(self.closed_until, now + seconds)

    @property
    def is_ailing(self) -> bool:
        """Whether it has failed so often in a row that only trials are let out."""
        return self.failures >= FAILURES_TO_CLOSE

    def _served(self, lease: Lease, *, is_wanted: bool) -> None:
        self.lone_refusals = 0
        self.answers += 1
        if self.credit < MOST_CREDIT:
            self.credit += EARNED
        if lease.level > self.proven and lease.taken_at >= self.refused_at:
            if not is_wanted:
                self.proven = lease.level
                return
            # Refusals come at once, so what went out with this probe is served too.
            self.proven, self.step = self.limit, self.step * STEP_GROWTH
        elif not is_wanted or self.answers < self._windows() * self.limit:
            return
        else:
            self.step = 1.0
        self.answers = 0
        self.limit += int(self.step)

    def _windows(self) -> int:
        """Return how many windows of answers the next probe waits for."""
        if math.isinf(self.refused_at):
            return 1
        return MOST_WINDOWS if self.is_named or self.credit < 0 else WINDOWS

    def _refused(
        self, lease: Lease, now: float, in_use: int, named: int | None
    ) -> None:
        self.is_named = named is not None and in_use + lease.places > named
        if named is not None and self.is_named:
            self.limit = named
        else:
            most = in_use + lease.places - 1
            served = max(in_use, min(self.proven, most))
            self.limit = max(1, min(self.limit, served))
        self.proven, self.step = self.limit, 1.0
        self.answers, self.refused_at = 0, now
        self.credit = max(-MOST_CREDIT, self.credit - 1)
        if not in_use:
            self._close(now, self.lone_refusals)
            self.lone_refusals += 1

    def _failed(self, now: float) -> None:
        if now < self.closed_until:
            return
        self.failures += 1
        if self.is_ailing:
            self._close(now, self.failures - FAILURES_TO_CLOSE)

    def _close(self, now: float, times: int) -> None:
        longest = min(LONGEST_CLOSURE, FIRST_CLOSURE * 2.0 ** min(times, 16))
        self.close(now, random.uniform(longest / 2, longest))  # noqa: S311  # no secret
