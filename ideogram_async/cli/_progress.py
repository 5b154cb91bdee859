"""Progress of a job: a live bar on a terminal that has rich, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO, Final, Protocol

import attrs

from ..jobs import Progress, State


BETWEEN_LINES = 2.0
"""Seconds between plain lines."""


WHERE_ANY: Final[tuple[State, ...]] = ("withheld", "unknown")
"""States that are told only if there are such items."""


class Display(Protocol):
    """Where a job tells how far it is."""

    def update(self, progress: Progress) -> None:
        """Show how far it is now."""
        ...

    def say(self, text: str) -> None:
        """Show *text* on a line of its own."""
        ...


def told(progress: Progress) -> str:
    """Return the counts, the money, the rate and the time left, on one line."""
    counts = progress.counts
    parts = [f"{counts['saved']} saved", f"{counts['failed']} failed"]
    parts += [f"{counts[s]} {s}" for s in WHERE_ANY if counts[s]]
    parts.append(f"{progress.in_use} of {progress.limit} places in use")
    if progress.unit is not None:
        budget = "" if progress.budget is None else f" of {progress.budget:f}"
        parts.append(f"{progress.spent:f}{budget} {progress.unit}")
    parts.append(f"{progress.rate:.1f}/s")
    if progress.remaining:
        parts.append(f"{length(progress.remaining)} left")
    return ", ".join(parts)


def length(seconds: float) -> str:
    """Return a time in words."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


@attrs.define
class PlainDisplay:
    """A line every so often."""

    file: IO[str]
    _next: float = 0.0
    _last: str = ""

    def update(self, progress: Progress) -> None:
        """Show how far it is, unless that was shown just now."""
        now = time.monotonic()
        is_over = progress.ended == progress.total
        if now < self._next and not is_over:
            return
        self._next = now + BETWEEN_LINES
        total = "?" if progress.total is None else progress.total
        line = f"{progress.ended}/{total}: {told(progress)}"
        if line != self._last:
            self._last = line
            self.say(line)

    def say(self, text: str) -> None:
        """Show *text*."""
        print(text, file=self.file, flush=True)


@contextmanager
def display(file: IO[str] | None = None) -> Generator[Display]:
    """Make a display for while the context lasts: on *file*, else standard error."""
    shown = file or sys.stderr
    if shown.isatty():
        try:
            from ._live import live_display  # noqa: PLC0415  # rich is optional
        except ImportError:
            pass
        else:
            with live_display(shown) as live:
                yield live
            return
    yield PlainDisplay(shown)
