"""Runs requests: sends them, saves their images as they come, and reports."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import IO, Any, Final, cast

import anyio
import attrs

from .._bulk import Outcomes
from ..batch import Failure, Success
from ..client import IdeogramClient
from ..errors import DownloadError, NotSentError
from ..requests import Request
from ..responses import ImageObject
from ._folder import Entry, Folder
from ._progress import Progress, Tally, progress


SAVERS: Final = 8
"""How many outcomes are saved at once."""
MOST_NAMED: Final = 50
"""How many failures are named on the terminal; the manifest names all."""

Outcome = Success[Any] | Failure


@attrs.define
class Run:
    """One run of the command line.

    Attributes:
        client: What sends.
        folder: Where images go.
        tally: The counts.
        failures: The failed entries, a few of them.
        unsent: How many prompts were not sent because the batch had ended.
        fault: Why the manifest could not be written; None while it can.
    """

    client: IdeogramClient
    folder: Folder
    tally: Tally
    failures: list[Entry] = attrs.field(factory=list[Entry])
    unsent: int = 0
    fault: OSError | None = None

    async def all(self, requests: Iterable[Request[Any]], shown: IO[str]) -> None:
        """Send *requests* and save what comes, until all of them have their outcome."""
        with progress(self.tally, shown) as live:
            async with self.client.stream_many(requests) as outcomes:
                with _interruptible(self._interrupts(outcomes, live)):
                    async with anyio.create_task_group() as savers:
                        for _ in range(min(SAVERS, self.tally.total)):
                            savers.start_soon(self._save_all, outcomes, live)
                        await self._watch(live)

    async def _watch(self, live: Progress) -> None:
        """Keep the places in flight up to date."""
        while self.tally.ended < self.tally.total:
            self.tally.in_flight = self.client.limiter.in_use
            live.update()
            await anyio.sleep(0.1)

    async def _save_all(self, outcomes: Outcomes[Any], live: Progress) -> None:
        async for outcome in outcomes:
            entry = await self._saved(outcome)
            try:
                self.folder.add(entry)
            except OSError as error:
                self.fault = self.fault or error
                outcomes.stop(f"the manifest can't be written: {error.strerror}")
            self._count(entry)
            live.update()

    async def _saved(self, outcome: Outcome) -> Entry:
        """Save the images of *outcome*."""
        if isinstance(outcome, Failure):
            return Entry(outcome, [], outcome.error)
        files: list[str | None] = []
        failed: Exception | None = None
        for image in _images(outcome):
            if image.is_withheld:
                self.tally.withheld += 1
                files.append(None)
                continue
            name = self.folder.name_for(outcome.index, image)
            try:
                await self.client.download(image, self.folder.path / name)
                files.append(name)
            except DownloadError as error:
                files.append(None)
                failed = error
        return Entry(outcome, files, failed)

    def _count(self, entry: Entry) -> None:
        self.tally.images += sum(name is not None for name in entry.files)
        if entry.error is None:
            self.tally.done += 1
            return
        self.tally.failed += 1
        if isinstance(entry.error, NotSentError):
            self.unsent += 1
        elif len(self.failures) < MOST_NAMED:
            self.failures.append(entry)

    def _interrupts(
        self, outcomes: Outcomes[Any], live: Progress
    ) -> Callable[[], None]:
        """Return what Ctrl-C does: the first time it stops, then it leaves."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        presses = 0

        def interrupt() -> None:
            nonlocal presses
            presses += 1
            if presses == 1:
                live.say("stopping: waiting for what is paid; Ctrl-C again to leave it")
                outcomes.stop("interrupted by Ctrl-C")
            else:
                task.cancel()

        return interrupt


def _images(outcome: Success[Any]) -> tuple[ImageObject, ...]:
    images: tuple[ImageObject, ...] = getattr(outcome.response, "data", ())
    return images


@contextmanager
def _interruptible(interrupt: Callable[[], None]) -> Generator[None]:
    """Call *interrupt* for every Ctrl-C, where the system can tell it to a loop."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except NotImplementedError:
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
