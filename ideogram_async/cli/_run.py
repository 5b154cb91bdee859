"""Runs a job before a user: shows its progress, heeds Ctrl-C, and reports."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import IO, Final, Protocol

from ..client import IdeogramClient
from ..errors import one_line
from ..jobs import Job, Plan, Problem, Report, State
from ._gallery import write_gallery
from ._progress import display


PAGE: Final = "index.html"

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


FATES: Final[dict[State | None, str]] = {
    "answered": "not saved yet",
    "pending": "not sent",
    "submitted": "not there yet",
    "unknown": "unknown",
}
"""What is said of an item that has no image; else it has failed."""


class Stoppable(Protocol):
    """What a signal ends."""

    def stop(self, reason: str) -> None:
        """Send nothing new."""
        ...

    def leave(self) -> None:
        """Drop everything at once."""
        ...


async def send(job: Job, client: IdeogramClient, shown: IO[str]) -> Report:
    """Run *job*, and close *client* in the end."""
    with display(shown) as live:
        job.on_progress = live.update
        async with client:
            with interruptible(interrupts(job, live.say)):
                return await job.run(client)


def interrupts(job: Stoppable, say: Callable[[str], None]) -> Callable[[], None]:
    """Return what a signal does: the first one stops, the next one leaves."""
    presses = 0

    def interrupt() -> None:
        nonlocal presses
        presses += 1
        if presses == 1:
            say("stopping: waiting for what is paid; Ctrl-C again to leave it")
            job.stop("it was interrupted")
        else:
            say("left at once: what was under way may be paid")
            job.leave()

    return interrupt


@contextmanager
def interruptible(interrupt: Callable[[], None]) -> Generator[None]:
    """Call *interrupt* for every signal to end, where the system can tell a loop."""
    loop = asyncio.get_running_loop()
    try:
        for number in SIGNALS:
            loop.add_signal_handler(number, interrupt)
    except NotImplementedError:
        yield
        return
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)


def tell(report: Report, job: Job, *, is_demo: bool = False) -> bool:
    """Print what a run did, write the page, and return whether nothing is missing.

    Args:
        report: What was done.
        job: By which job.
        is_demo: Whether nothing was really paid.
    """
    tell_problems(report.problems)
    for line in _notes(report, is_resumable=job.resumable):
        print(line, file=sys.stderr)
    total = "?" if report.total is None else report.total
    withheld = f", {report.withheld} withheld" if report.withheld else ""
    rows = "row" if report.invalid == 1 else "rows"
    bad = f", {report.invalid} bad {rows} left out" if report.invalid else ""
    fate = "if it were real" if is_demo else "spent"
    money = f", {report.spent:f} {report.unit} {fate}" if report.unit else ""
    done = f"{report.done} of {total} prompts done"
    print(f"{report.images} images; {done}{bad}{withheld}{money}")
    if report.manifest is not None:
        page = job.out / PAGE
        try:
            write_gallery(report.manifest, page)
        except OSError as error:
            print(f"can't write {page}: {error.strerror}", file=sys.stderr)
            return False
        print(page)
    return report.is_complete


def tell_plan(plan: Plan) -> bool:
    """Print what a run would do, and return whether all rows are sound."""
    tell_problems(plan.problems)
    counts = {state: number for state, number in plan.counts.items() if number}
    known = ", ".join(f"{number} {state}" for state, number in counts.items())
    print(f"{plan.rows} rows: {known or 'nothing to do'}")
    if plan.duplicates:
        print(f"left out: {plan.duplicates} rows equal to an earlier one")
    print(f"would send {plan.sent} requests; cost: {plan.cost}")
    for request in plan.first:
        print(f"  {one_line(repr(request))}")
    if plan.error is not None:
        print(f"the prompts end early: {one_line(str(plan.error))}", file=sys.stderr)
    return plan.error is None and not plan.invalid


def tell_problems(problems: Iterable[Problem]) -> None:
    """Print a line for each item that has no image, or not all."""
    for each in problems:
        if each.request is None:
            print(f"bad row: {one_line(str(each.error))}", file=sys.stderr)
            continue
        prompt = each.request.get("prompt") or each.request.get("text_prompt", "")
        fate = FATES.get(each.state, "failed")
        what = one_line(f"#{each.position} {prompt!r:.70}: {each.error}")
        print(f"{fate}: {what}", file=sys.stderr)


def _notes(report: Report, *, is_resumable: bool) -> Generator[str]:
    counts, manifest = report.counts, report.manifest
    told = sum(each.state in {"failed", "unknown"} for each in report.problems)
    hidden = counts["failed"] + counts["unknown"] - told
    if hidden > 0:
        yield f"failed or unknown: {hidden} more, see the manifest"
    yield from _unfinished(report, is_resumable=is_resumable)
    if report.removed:
        yield f"no longer in the file: {report.removed} prompts that were never sent"
    if report.duplicates:
        yield f"left out: {report.duplicates} rows equal to an earlier one"
    if report.left:
        yield f"not sent: {report.left} prompts; run it again to go on"
    if report.ended is not None:
        yield f"ended early: {one_line(str(report.ended))}"
    for answer in report.stranded:
        yield f"paid, and could not be written down: {answer}"
    if manifest is None:
        yield "the manifest could not be written"


def _unfinished(report: Report, *, is_resumable: bool) -> Generator[str]:
    counts, manifest = report.counts, report.manifest
    if counts["unknown"]:
        how = "; --resend-unknown sends them again" if is_resumable else ""
        yield f"unknown: {counts['unknown']} prompts may be paid without an answer{how}"
    if counts["answered"]:
        how = "run it again" if is_resumable else f"their links are in {manifest}"
        yield f"paid and not saved yet: {counts['answered']} prompts; {how}"
    if counts["submitted"]:
        yield f"in progress: {counts['submitted']} generations; run it again"
