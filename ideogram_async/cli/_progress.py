"""Progress of a run: a live bar on a terminal that has rich, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import IO, Protocol

import attrs


BETWEEN_LINES = 2.0
"""Seconds between plain lines."""


@attrs.define
class Tally:
    """The counts of a run.

    Attributes:
        total: Prompts in all.
        done: Prompts that were answered, their images saved.
        failed: Prompts that failed, or whose images could not be saved.
        withheld: Images that the service made and did not release.
        images: Images saved.
        in_flight: Images in progress at the service.
        started: When it began, on the monotonic clock.
    """

    total: int
    done: int = 0
    failed: int = 0
    withheld: int = 0
    images: int = 0
    in_flight: int = 0
    started: float = attrs.field(factory=time.monotonic)

    @property
    def ended(self) -> int:
        """Prompts that are done or failed."""
        return self.done + self.failed

    def text(self) -> str:
        """Return the counts, the rate and the time left, on one line."""
        elapsed = max(time.monotonic() - self.started, 0.001)
        rate = self.ended / elapsed
        if self.ended == self.total:
            left = f"in {elapsed:.0f} s"
        else:
            missing = self.total - self.ended
            left = f"{missing / rate:.0f} s left" if rate else "starting"
        return (
            f"{self.done} done, {self.failed} failed, {self.in_flight} in flight,"
            f" {rate:.1f}/s, {left}"
        )


class Progress(Protocol):
    """What a run tells how far it is."""

    def update(self) -> None:
        """Show the tally as it is now."""
        ...

    def say(self, text: str) -> None:
        """Show *text* on a line of its own."""
        ...


@attrs.define
class PlainProgress:
    """A line every so often."""

    tally: Tally
    file: IO[str]
    _next: float = 0.0

    def update(self) -> None:
        """Show the tally, unless it was shown just now."""
        now = time.monotonic()
        if now >= self._next or self.tally.ended == self.tally.total:
            self._next = now + BETWEEN_LINES
            self.say(f"{self.tally.ended}/{self.tally.total}: {self.tally.text()}")

    def say(self, text: str) -> None:
        """Show *text*."""
        print(text, file=self.file, flush=True)


@contextmanager
def progress(tally: Tally, file: IO[str] | None = None) -> Generator[Progress]:
    """Show *tally* while the context lasts: on *file*, else on standard error."""
    shown = file or sys.stderr
    if shown.isatty():
        try:
            from ._live import live_progress  # noqa: PLC0415  # rich is optional
        except ImportError:
            pass
        else:
            with live_progress(tally, shown) as live:
                yield live
            return
    yield PlainProgress(tally, shown)
