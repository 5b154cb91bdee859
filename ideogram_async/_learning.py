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
* After w windows without a refusal (a window is the mean service time) while work is
  waiting, one place more is tried: a probe. If it is served, twice as many are added at
  once; if it is refused, w doubles, up to 4. The answer to a probe that left before
  the last refusal is no news.
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


MOST_WINDOWS: Final = 4.0
WINDOWS_AFTER_NAMED: Final = 16.0
"""How many windows nothing above a limit that the service named is tried."""
PROBE_JITTER: Final = 0.25
SMOOTHING: Final = 0.1
"""Weight of the newest service time in the mean."""
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
        is_probe: Whether it tries more than the service is known to serve.
        is_trial: Whether it tries a service that had failed.
    """

    places: int
    taken_at: float
    level: int
    is_probe: bool = False
    is_trial: bool = False


class LearntLimit:
    """The number of places, and whether the gate is open.

    Attributes:
        limit: Places that may be in use at once.
        closed_until: Nothing may be sent before this time.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.closed_until = -math.inf
        self._proven = limit
        self._step = 1
        self._refused_at = -math.inf
        self._windows = 1.0
        self._window = math.inf
        self._probe_after = math.inf
        self._lone_refusals = 0
        self._failures = 0
        self._trials = 0

    def allows(self, places: int, in_use: int, now: float) -> bool:
        """Whether *places* more may be taken; more than the limit only alone."""
        if now < self.closed_until or (self.is_ailing and self._trials):
            return False
        return in_use + places <= self.limit or not in_use

    def take(self, places: int, in_use: int, now: float) -> Lease:
        """Note that *places* are taken, which makes *in_use* in all."""
        is_probe, is_trial = in_use > self._proven, self.is_ailing
        self._trials += is_trial
        return Lease(places, now, in_use, is_probe, is_trial)

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
        self._trials -= lease.is_trial
        if verdict is Verdict.FAILED:
            self._failed(now)
        elif verdict is not Verdict.ABANDONED:
            self._failures = 0
        if verdict is Verdict.SERVED:
            self._served(lease, now, is_wanted=is_wanted)
        elif verdict is Verdict.REFUSED:
            self._refused(lease, now, in_use, named)

    def close(self, now: float, seconds: float) -> None:
        """Let nothing through for *seconds* from *now*."""
        self.closed_until = max(self.closed_until, now + seconds)

    @property
    def is_ailing(self) -> bool:
        """Whether it has failed so often in a row that only trials are let out."""
        return self._failures >= FAILURES_TO_CLOSE

    def _served(self, lease: Lease, now: float, *, is_wanted: bool) -> None:
        self._lone_refusals = 0
        duration = now - lease.taken_at
        if math.isinf(self._window):
            self._window = duration
            self._wait_for_probe(now)
        self._window += SMOOTHING * (duration - self._window)
        if lease.level > self._proven and lease.taken_at >= self._refused_at:
            self._windows = 1.0
            if not is_wanted:
                self._proven = lease.level
                return
            # Refusals come at once, so what went out with this probe is served too.
            self._proven, self._step = self.limit, 2 * self._step
        elif now < self._probe_after:
            return
        else:
            self._step = 1
        self._wait_for_probe(now)
        if is_wanted:
            self.limit += self._step

    def _wait_for_probe(self, now: float, windows: float | None = None) -> None:
        jitter = random.uniform(1 - PROBE_JITTER, 1 + PROBE_JITTER)  # noqa: S311  # no secret
        self._probe_after = now + (windows or self._windows) * self._window * jitter

    def _refused(
        self, lease: Lease, now: float, in_use: int, named: int | None
    ) -> None:
        if lease.is_probe:
            self._windows = min(MOST_WINDOWS, 2 * self._windows)
        windows = None
        if named is not None and in_use + lease.places > named:
            self.limit, windows = named, WINDOWS_AFTER_NAMED
        else:
            most = in_use + lease.places - 1
            served = max(in_use, min(self._proven, most))
            self.limit = max(1, min(self.limit, served))
        self._proven, self._step = self.limit, 1
        self._refused_at = now
        self._wait_for_probe(now, windows)
        if not in_use:
            self._close(now, self._lone_refusals)
            self._lone_refusals += 1

    def _failed(self, now: float) -> None:
        if now < self.closed_until:
            return
        self._failures += 1
        if self.is_ailing:
            self._close(now, self._failures - FAILURES_TO_CLOSE)

    def _close(self, now: float, times: int) -> None:
        longest = min(LONGEST_CLOSURE, FIRST_CLOSURE * 2.0 ** min(times, 16))
        self.close(now, random.uniform(longest / 2, longest))  # noqa: S311  # no secret
