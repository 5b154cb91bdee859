"""The job: what a user makes and runs."""

from __future__ import annotations

from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Sized,
)
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import attrs
from anyio import to_thread

from .._delivery import Call, Halt
from ..client import IdeogramClient
from ..costs import UNKNOWN
from ..errors import ConfigurationError, JournalError, NotSentError
from ..requests import Request
from ._budget import Budget, Price, in_nano
from ._engine import Engine
from ._feed import Feed, Source
from ._folder import MANIFEST, Folder
from ._identity import described
from ._items import Item, Terms
from ._journal import Journal
from ._saver import Saver
from ._sender import Sender
from ._values import Problem, Progress, Report, State, money


JOURNAL = "journal.sqlite"
MOST_PROBLEMS = 50

Make = Callable[[Any], Request[Any]]
Send = Callable[[Any, Call], Awaitable[Any]]
Rows = Iterable[Any] | AsyncIterable[Any]


def _positive(_: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"{attribute.name} must be 1 or more, got {value}")


def _path(value: Any) -> Path:
    return Path(value)


@attrs.define(eq=False)
class Job:
    """Many requests, their images in one folder, and a journal that survives.

    ```python
    job = Job(prompts, "out", budget="25.00")
    report = await job.run(client)
    ```

    It can be killed at any instant and run again: what is saved is left alone, what was
    answered is only downloaded, and what may have been billed without an answer is
    reported as unknown, and sent again only if that is asked for. Items are known by
    their content, so the source may change between two runs.

    Attributes:
        requests: Requests or prompts: a list, a generator, an async iterable, or a
            function that returns one of these, which is called for each run. Rows are
            drawn as they are needed. An exception among them stands for a bad row.
        out: Folder of the images and of `manifest.jsonl`; made if it is missing.
        journal: Path of the journal; `journal.sqlite` in *out* if None.
        resumable: False keeps the journal in memory: nothing is known of earlier runs,
            and nobody can go on after this one.
        budget: The most that may be spent, by all runs together, in the unit of the
            provider's prices; None for any amount.
        allow_unknown_price: Whether requests without a known price are sent although
            there is a budget, which doesn't count them.
        resend_unknown: Whether what may have been billed without an answer is sent
            again; it may then be paid twice.
        retry_failed: Whether what was refused for good, or whose link has expired, is
            sent again.
        dedupe: Whether a request equal to an earlier one is left out; else each is an
            item of its own.
        limit: Only so many rows of the source, 1 or more; None for all.
        concurrency: Most requests at once, 1 or more; None for as many as the gate
            allows.
        total: Rows in all, for the time left; None if unknown. A list tells it itself.
        price: Tells what a request costs; `client.estimate` if None.
        on_progress: Called in the event loop with how far it is, five times a second.

    Raises:
        ValueError: A number is out of its range.
    """

    requests: Rows | Callable[[], Rows]
    out: Path = attrs.field(converter=_path)
    journal: Path | None = attrs.field(
        default=None, converter=attrs.converters.optional(_path), kw_only=True
    )
    resumable: bool = attrs.field(default=True, kw_only=True)
    budget: Decimal | str | float | None = attrs.field(default=None, kw_only=True)
    allow_unknown_price: bool = attrs.field(default=False, kw_only=True)
    resend_unknown: bool = attrs.field(default=False, kw_only=True)
    retry_failed: bool = attrs.field(default=False, kw_only=True)
    dedupe: bool = attrs.field(default=False, kw_only=True)
    limit: int | None = attrs.field(default=None, validator=_positive, kw_only=True)
    concurrency: int | None = attrs.field(
        default=None, validator=_positive, kw_only=True
    )
    total: int | None = attrs.field(default=None, kw_only=True)
    price: Price | None = attrs.field(default=None, kw_only=True)
    on_progress: Callable[[Progress], None] | None = attrs.field(
        default=None, kw_only=True
    )
    _halt: Halt = attrs.field(factory=Halt, init=False)
    _engine: Engine | None = attrs.field(default=None, init=False)
    _problems: list[Problem] = attrs.field(factory=list[Problem], init=False)
    _invalid: int = attrs.field(default=0, init=False)
    _is_drawn: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        """Check the budget."""
        if self.budget is not None:
            in_nano(self.budget)

    async def run(self, client: IdeogramClient) -> Report:
        """Send what was not sent yet, save all images, and return what was done.

        Whatever happens to an item, and also why the job ended early (the budget, the
        credit, `stop`), is in the report. When the task is cancelled nothing new is
        sent, what is under way is waited for and written down, and then the
        cancellation goes on. The client's deadline doesn't concern a job.

        Raises:
            JournalError: The journal can't be opened: another process holds it, it is
                damaged, or of a newer version.
            ConfigurationError: The source was a generator, and is used up.
        """
        source, total = self._source()
        self._halt, self._problems, self._invalid = Halt(), [], 0
        path = (self.journal or self.out / JOURNAL) if self.resumable else None
        journal = await Journal.opened(path, self._halt.end)
        try:
            folder = Folder(self.out, total)
            await self._prepare(journal, folder)
            engine = self._engine = self._assembled(client, journal, folder, source)
            engine.total = total
            spent_before = journal.spent
            try:
                await engine.run()
            finally:
                with anyio.CancelScope(shield=True):
                    report = await self._finished(engine, folder, spent_before)
        except OSError as error:
            raise JournalError(
                f"can't write to {self.out}: {error.strerror}; choose another folder"
            ) from error
        finally:
            self._engine = None
            with anyio.CancelScope(shield=True):
                await journal.aclose()
        return report

    def stop(self, reason: str = "it was stopped") -> None:
        """Send nothing new; what is under way still ends, and its images are saved."""
        self._halt.end(NotSentError(reason))

    def leave(self) -> None:
        """Drop everything at once: what is under way may be paid, and is unknown."""
        if self._engine is not None:
            self._engine.leave()

    def _source(self) -> tuple[Source, int | None]:
        rows = self.requests() if callable(self.requests) else self.requests
        if isinstance(rows, str | bytes):
            raise TypeError(f"expected a list of prompts, got one: {rows!r:.60}")
        if rows is self.requests and isinstance(rows, Iterator | AsyncIterator):
            if self._is_drawn:
                raise ConfigurationError(
                    "the job's source was drawn by an earlier run: give a list, or a"
                    " function that returns a fresh generator"
                )
            self._is_drawn = True
        total = len(rows) if isinstance(rows, Sized) else self.total
        if total is not None and self.limit is not None:
            total = min(total, self.limit)
        return aiter(rows) if isinstance(rows, AsyncIterable) else iter(rows), total

    async def _prepare(self, journal: Journal, folder: Folder) -> None:
        answered = await journal.answered()

        def prepare() -> None:
            folder.sweep([name for names in answered.values() for name in names])
            if journal.run == 1:
                folder.set_manifest_aside()

        await to_thread.run_sync(prepare)

    def _assembled(
        self, client: IdeogramClient, journal: Journal, folder: Folder, source: Source
    ) -> Engine:
        provider, make, send = _parts_of(client)
        price = self.price or getattr(client, "estimate", lambda _: UNKNOWN)
        limit = None if self.budget is None else in_nano(self.budget)
        budget = Budget(limit, price, self.allow_unknown_price, journal)
        states: tuple[State, ...] = (
            "pending",
            *(("failed",) if self.retry_failed else ()),
            *(("unknown",) if self.resend_unknown else ()),
        )
        terms, halt = Terms(states, self.dedupe), self._halt
        return Engine(
            Feed(source, make, journal, terms, self.limit, halt, self._on_bad_row),
            Sender(send, provider, journal, folder, budget, halt, self._on_problem),
            Saver(client, journal, folder, halt, self._on_problem),
            journal,
            budget,
            client.limiter,
            halt,
            concurrency=self.concurrency,
            on_progress=self.on_progress,
        )

    async def _finished(
        self, engine: Engine, folder: Folder, spent_before: int
    ) -> Report:
        journal, removed, manifest = engine.journal, 0, None
        ended = engine.feed.error or self._halt.reason
        try:
            removed = await journal.settle(is_whole=engine.feed.is_whole)
            if await journal.export(folder.write_manifest):
                manifest = folder.path / MANIFEST
        except JournalError as error:
            ended = ended or error
        return Report(
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
        request = None if item.request is None else described(item.request)
        self._report(
            Problem(
                position=item.position, request=request, state=item.state, error=error
            )
        )

    def _report(self, problem: Problem) -> None:
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(problem)


def _parts_of(client: IdeogramClient) -> tuple[str, Make, Send]:
    """Return the provider's name, what makes requests of prompts, and what sends."""
    ours: Any = client
    return ours._provider.name, ours._maker({}), ours._send  # noqa: SLF001  # our own
