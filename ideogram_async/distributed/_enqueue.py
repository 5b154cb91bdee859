"""Puts a job into the database, for workers to run."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterable, Sized
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import anyio
import attrs
import psycopg
from psycopg import sql

from .._call import Halt
from .._failover import Failover
from ..client import IdeogramClient
from ..costs import MONEY, Cost
from ..errors import JournalError
from ..jobs import Counts, Problem
from ..jobs._budget import in_nano
from ..jobs._feed import Feed, Source
from ..jobs._generations import check_address, check_taken, generation_of
from ..jobs._items import Terms
from ..jobs._run import MOST_PROBLEMS, Make, parts_of
from ..requests import Request
from ._database import Database
from ._journal import PostgresJournal


PAGE: Final = 1000
"""Rows that are written at once."""


@attrs.frozen(kw_only=True)
class Enqueued:
    """What an enqueuing did.

    Attributes:
        job: Number of the job.
        out: Where its images go.
        rows: Rows of the source.
        queued: Items that workers will send.
        added: Items that were not there before.
        removed: Items that are in the source no more and were never sent.
        duplicates: Rows left out because an equal one came before (`dedupe`).
        invalid: Rows that are no request.
        cost: What the queued items cost at most.
        counts: How many items of the job are in each state.
        problems: What is wrong with rows, the first 50 of it.
        error: What the source raised, which was its end; or None.
    """

    job: int
    out: str
    rows: int
    queued: int
    added: int
    removed: int
    duplicates: int
    invalid: int
    cost: Cost
    counts: Counts
    problems: tuple[Problem, ...] = attrs.field(repr=False)
    error: Exception | None


@attrs.define
class _Rows:
    """Counts what comes out of a source."""

    problems: list[Problem] = attrs.field(factory=list[Problem])
    invalid: int = 0

    def on_bad_row(self, position: int, error: Exception) -> None:
        """Take note of a row that is no request."""
        self.invalid += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(
                Problem(position=position, request=None, state=None, error=error)
            )


async def enqueue(  # noqa: PLR0913  # the options of a job, keyword only
    requests: Iterable[Any] | AsyncIterable[Any],
    dsn: str,
    *,
    out: str | Path,
    client: IdeogramClient | None = None,
    budget: Decimal | str | float | None = None,
    allow_unknown_price: bool = False,
    resend_unknown: bool = False,
    retry_failed: bool = False,
    dedupe: bool = False,
    limit: int | None = None,
    embed_prompt: bool = False,
    asynchronous: bool = False,
    webhook_url: str | None = None,
    total: int | None = None,
    price: Callable[[Request[Any]], Cost] | None = None,
    dry_run: bool = False,
) -> Enqueued:
    """Put many requests into the database *dsn*, for workers on any machine.

    It means what `ideogram_async.jobs.Job` means, and can be done again: items are
    known by their content, so what was sent is left alone, and what is new, or still
    waits because the budget was spent, is queued.

    Args:
        requests: Requests or prompts: a list, a generator, an async iterable. An
            exception among them stands for a bad row.
        dsn: A PostgreSQL database, such as `"postgresql://user@host/name"`.
        out: A folder that all workers share, or an address that fsspec knows, such as
            `"s3://bucket/folder"`; it is also the name of the job.
        client: Makes requests of prompts and knows prices; one of the provider in
            `IDEOGRAM_PROVIDER`, which needs no key, if omitted.
        budget: The most that all workers together may spend on the job, in all
            enqueuings together; None for any amount.
        allow_unknown_price: Whether requests without a known price are sent although
            there is a budget, which doesn't count them.
        resend_unknown: Whether what may have been billed without an answer is sent
            again; it may then be paid twice.
        retry_failed: Whether what was refused for good, or whose link has expired, is
            sent again.
        dedupe: Whether a request equal to an earlier one is left out.
        limit: Only so many rows of the source; None for all.
        embed_prompt: Whether prompt, seed and model are put into the PNG files.
        asynchronous: Whether images are made later, as by a `Job`.
        webhook_url: An https address that the service tells of these.
        total: Rows in all, which decides the width of their numbers in file names; a
            list tells it itself.
        price: Tells the most that a request may cost; the published price if None.
        dry_run: Whether all of it is forgotten in the end: it tells what would be done.

    Raises:
        ConfigurationError: *dsn* is no address.
        JournalError: The database can't be used, or the same job is being enqueued.
        ValueError: A number is out of its range.
        UnsupportedRequestError: It is asynchronous, and the provider doesn't take that.
    """
    check_address(webhook_url, asynchronous=asynchronous)
    if isinstance(requests, Sized):
        total = len(requests)
    if total is not None and limit is not None:
        total = min(total, limit)
    terms = Terms.of(
        retry_failed=retry_failed, resend_unknown=resend_unknown, dedupe=dedupe
    )
    options: dict[str, object] = {
        "total": total,
        "budget": None if budget is None else in_nano(budget),
        "allow_unknown_price": allow_unknown_price,
        "embed_prompt": embed_prompt,
        "webhook_url": webhook_url,
    }
    failover, make = _asked(client or IdeogramClient("none"), webhook_url)
    halt, rows = Halt(), _Rows()
    database = await Database.opened(dsn, halt.end, patience=0, is_trial=dry_run)
    try:
        journal = await opened_for_reading(database, str(out), options)
        source, told = _opened(requests), rows.on_bad_row
        feed = Feed(source, make, journal, terms, limit, halt, told, PAGE)
        return await _drawn(feed, journal, rows, str(out), price or failover.most)
    finally:
        with anyio.CancelScope(shield=True):
            await database.aclose()


def _opened(requests: Iterable[Any] | AsyncIterable[Any]) -> Source:
    if isinstance(requests, AsyncIterable):
        return aiter(requests)
    return iter(requests)


def _asked(client: IdeogramClient, webhook_url: str | None) -> tuple[Failover, Make]:
    """Return who is asked, and what makes requests of rows."""
    failover, make, _ = parts_of(client)
    if webhook_url is None:
        return failover, make
    check_taken([each.provider for each in failover.channels], webhook_url)
    return failover, generation_of


async def opened_for_reading(
    database: Database, out: str, options: dict[str, object]
) -> PostgresJournal:
    """Open the journal of the job *out* for another reading of its source.

    Raises:
        JournalError: It is being read already.
    """
    job = await _named(database, out, **options)

    def begin(connection: psycopg.Connection[Any]) -> bool:
        found = connection.execute("SELECT pg_try_advisory_lock(%s)", (job,)).fetchone()
        connection.execute(
            "UPDATE ideogram_jobs SET revision = revision + 1, is_published = false"
            " WHERE id = %s",
            (job,),
        )
        return (found or (False,))[0]

    if not await database.writer.write(begin):
        raise JournalError(f"another process enqueues {out}: wait until it ends")
    return await PostgresJournal.opened(database, job)


async def _drawn(
    feed: Feed,
    journal: PostgresJournal,
    rows: _Rows,
    out: str,
    price: Callable[[Request[Any]], Cost],
) -> Enqueued:
    """Draw the whole source into the journal."""
    costs = Counter[Cost]()
    while page := await feed.draw_page():
        costs.update(price(request) for _, request in page)
        for cost in costs:
            if journal.unit is None and cost.unit is not None:
                journal.count_in(cost.unit)
    removed = await journal.settle(is_whole=feed.is_whole)
    return Enqueued(
        job=journal.job,
        out=out,
        rows=feed.drawn,
        queued=costs.total(),
        added=journal.added,
        removed=removed,
        duplicates=journal.duplicates,
        invalid=rows.invalid,
        cost=_total(costs),
        counts=dict(journal.counts),
        problems=tuple(rows.problems),
        error=feed.error,
    )


def _total(costs: Counter[Cost]) -> Cost:
    """Return what so many requests of each price cost together."""
    each = [
        attrs.evolve(cost, amount=cost.amount and MONEY.multiply(cost.amount, number))
        for cost, number in costs.items()
    ]
    return Cost.total(each) if each else Cost(Decimal(0), None)


async def _named(database: Database, out: str, **options: object) -> int:
    """Return the number of the job whose images go to *out*, made if it is missing.

    Args:
        database: Where jobs are.
        out: Where its images go.
        **options: Columns of the job that are set.
    """
    columns = {"out": out, **options}

    def work(connection: psycopg.Connection[Any]) -> int:
        names = list(map(sql.Identifier, columns))
        statement = sql.SQL(
            "INSERT INTO ideogram_jobs ({}) VALUES ({}) ON CONFLICT (out)"
            " DO UPDATE SET {} RETURNING id"
        ).format(
            sql.SQL(", ").join(names),
            sql.SQL(", ").join(map(sql.Placeholder, columns)),
            sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(n) for n in names),
        )
        found = connection.execute(statement, columns).fetchone()
        return (found or (0,))[0]

    return await database.writer.write(work)
