"""One run of a job: opens the journal, puts the parts together, reports."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import attrs
from anyio import to_thread

from .._call import Halt
from .._failover import Failover
from .._polling import Poller
from ..client import IdeogramClient
from ..costs import Cost
from ..errors import JournalError
from ..requests import Request
from ._budget import Budget, Price, in_nano
from ._engine import Engine
from ._feed import Feed, Source
from ._folder import Folder
from ._generations import Generations, check_taken, generation_of
from ._items import Item, Terms
from ._saver import Saver
from ._schema import set_aside
from ._sender import Sender
from ._sqlite import SqliteJournal
from ._values import Plan, Problem, Report, State, money


if TYPE_CHECKING:
    from ._job import Job


JOURNAL: Final = "journal.sqlite"
MOST_PROBLEMS: Final = 50
MOST_SHOWN: Final = 5

T = TypeVar("T")
Make = Callable[[Any], Request[Any]]


@attrs.define(eq=False)
class Run:
    """One run.

    Attributes:
        job: What to do.
        client: What sends and downloads.
        halt: Ends it: nothing new is sent.
    """

    job: Job
    client: IdeogramClient
    halt: Halt = attrs.field(factory=Halt, init=False)
    _engine: Engine | None = attrs.field(default=None, init=False)
    _problems: list[Problem] = attrs.field(factory=list[Problem], init=False)
    _invalid: int = attrs.field(default=0, init=False)

    async def run(self, source: Source, total: int | None) -> Report:
        """Run the job over *source*, which has *total* rows."""
        out = self.job.out
        self._check()
        path = self._journal_path()
        if path and not self.job.resume:
            await to_thread.run_sync(set_aside, path)
        journal = await SqliteJournal.opened(path, self.halt.end)
        try:
            folder = Folder(out, total)
            await self._prepare(journal, folder)
            return await self._through(self._assembled(journal, folder, source, total))
        except OSError as error:
            raise JournalError(
                f"can't write to {out}: {error.strerror}; choose another folder"
            ) from error
        finally:
            with anyio.CancelScope(shield=True):
                await journal.aclose()

    async def plan(self, source: Source) -> Plan:
        """Return what a run over *source* would do."""
        self._check()
        path = self._journal_path()
        known = path if path and await anyio.Path(path).exists() else None
        journal = await SqliteJournal.opened(known, self.halt.end, is_trial=True)
        try:
            return await self._planned(self._feed(journal, source))
        finally:
            with anyio.CancelScope(shield=True):
                await journal.aclose()

    def leave(self) -> None:
        """Drop everything at once."""
        if self._engine is not None:
            self._engine.leave()

    async def _through(self, engine: Engine) -> Report:
        self._engine = engine
        spent_before = engine.journal.spent
        try:
            await engine.run()
        except BaseException:
            await self._finished(engine, spent_before)
            raise
        return await self._finished(engine, spent_before)

    async def _prepare(self, journal: SqliteJournal, folder: Folder) -> None:
        answered = await journal.left("answered")

        def prepare() -> None:
            names = [name for names in answered.values() for name in names]
            folder.sweep([*names, journal.path.name if journal.path else None])
            folder.set_manifest_aside(journal.marks)

        await to_thread.run_sync(prepare)

    async def _planned(self, feed: Feed) -> Plan:
        price, first, number = self._price(), list[Request[Any]](), 0
        cost = Cost(Decimal(0), None)
        while (drawn := await feed.draw()) is not None:
            _, request = drawn
            number += 1
            own = price(request)
            cost = own if number == 1 else Cost.total([cost, own])
            if len(first) < MOST_SHOWN:
                first.append(request)
        return Plan(
            rows=feed.drawn,
            sent=number,
            cost=cost,
            counts=dict(feed.journal.counts),
            duplicates=feed.journal.duplicates,
            first=tuple(first),
            problems=tuple(self._problems),
            invalid=self._invalid,
            error=feed.error,
        )

    def _check(self) -> None:
        if self.job.webhook_url is not None:
            channels = parts_of(self.client)[0].channels
            check_taken([each.provider for each in channels], self.job.webhook_url)

    def _journal_path(self) -> Path | None:
        job = self.job
        return (job.journal or job.out / JOURNAL) if job.resumable else None

    def _price(self) -> Price:
        return self.job.price or parts_of(self.client)[0].most

    def _feed(self, journal: SqliteJournal, source: Source) -> Feed:
        job = self.job
        states: tuple[State, ...] = (
            "pending",
            *(("failed",) if job.retry_failed else ()),
            *(("unknown",) if job.resend_unknown else ()),
        )
        terms, make = Terms(states, job.dedupe), parts_of(self.client)[1]
        if job.asynchronous:
            make = generation_of
        return Feed(
            source, make, journal, terms, job.limit, self.halt, self._on_bad_row
        )

    def _assembled(
        self, journal: SqliteJournal, folder: Folder, source: Source, total: int | None
    ) -> Engine:
        job, halt, told = self.job, self.halt, self._on_problem
        failover, _, poller = parts_of(self.client)
        generations = Generations(failover, poller, journal, halt, job.webhook_url)
        limit = None if job.budget is None else in_nano(job.budget)
        budget = Budget(limit, self._price(), job.allow_unknown_price, journal)
        return Engine(
            self._feed(journal, source),
            Sender(generations, journal, folder, budget, halt, told, job.price is None),
            Saver(self.client, journal, folder, halt, told, job.embed_prompt),
            journal,
            budget,
            failover,
            halt,
            job.concurrency,
            job.on_progress,
            total,
        )

    async def _finished(self, engine: Engine, spent_before: int) -> Report:
        journal, folder, manifest = engine.journal, engine.saver.folder, None
        ended, removed = engine.feed.error or self.halt.reason, 0
        with anyio.CancelScope(shield=True):
            try:
                removed = await journal.settle(is_whole=engine.feed.is_whole)
                if await journal.export(folder.write_manifest):
                    manifest = folder.publish_manifest()
            except (JournalError, OSError) as error:
                ended = ended or error
        return Report(
            total=engine.rows,
            counts=dict(journal.counts),
            images=engine.saver.images,
            withheld=engine.saver.withheld,
            added=journal.added,
            removed=removed,
            duplicates=journal.duplicates,
            invalid=self._invalid,
            spent=money(journal.spent),
            spent_now=money(journal.spent - spent_before),
            unpriced=journal.unpriced,
            unit=journal.unit,
            problems=tuple(self._problems),
            ended=ended,
            stranded=tuple(engine.sender.stranded),
            manifest=manifest,
        )

    def _on_bad_row(self, position: int, error: Exception) -> None:
        self._invalid += 1
        self._report(Problem(position=position, request=None, state=None, error=error))

    def _on_problem(self, item: Item, error: Exception) -> None:
        asked = json.loads(item.asked)
        self._report(
            Problem(
                position=item.position, request=asked, state=item.state, error=error
            )
        )

    def _report(self, problem: Problem) -> None:
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(problem)


async def apart(work: Callable[[], Awaitable[T]]) -> T:
    """Do *work* in a task of its own, and wait for its end.

    A cancelled task is interrupted wherever it is, also within a shield; this one is
    cancelled through its scope, which heeds shields, and threads that are at work.
    """
    outcome: list[T | Exception] = []

    async def to_its_end() -> None:
        try:
            outcome.append(await work())
        except Exception as error:  # noqa: BLE001  # raised where it is awaited
            outcome.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(to_its_end)
    (result,) = outcome
    if isinstance(result, Exception):
        raise result
    return result


def parts_of(client: IdeogramClient) -> tuple[Failover, Make, Poller]:
    """Return what sends, what makes requests of prompts, and what waits."""
    ours: Any = client
    return ours._failover, ours._maker({}), ours._poller  # noqa: SLF001  # our own
