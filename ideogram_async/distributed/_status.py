"""How far a fleet is: counts, money, workers, and what is unknown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import anyio
import attrs
import psycopg

from ..jobs import Counts
from ..jobs._values import ENDED, STATES, State, money
from ._database import Database
from ._worker import TTL


MOST_UNKNOWN: Final = 50
RECENTLY: Final = 60
"""Seconds over which the rate is measured."""

COUNTS: Final = """
SELECT job, state, count(*), count(*) FILTER (
    WHERE moved_at > now() - make_interval(secs => %(recently)s)
), sum(queued::int), sum(unpriced)
FROM ideogram_items WHERE job = ANY (%(jobs)s) GROUP BY job, state
"""


@attrs.frozen(kw_only=True)
class UnknownItem:
    """An item that may be paid, and has no answer.

    Attributes:
        position: Its place in the source, from 0.
        request: What was asked, as in the manifest.
    """

    position: int
    request: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class JobStatus:
    """How far one job of a fleet is.

    Attributes:
        job: Its number.
        out: Where its images go.
        counts: How many items are in each state.
        left: Items that workers still work on, or will.
        spent: Money spent so far, what is under way included.
        budget: The most that may be spent; None without a budget.
        unit: Of the money; None while no price is known.
        unpriced: Requests that were sent without a known price.
        rate: Items ended per second, in the last minute.
        remaining: Seconds until the end at this rate; None while that isn't known.
        unknown: Items that may be paid without an answer, the first 50 of them.
    """

    job: int
    out: str
    counts: Counts
    left: int
    spent: Decimal
    budget: Decimal | None
    unit: str | None
    unpriced: int
    rate: float
    remaining: float | None
    unknown: tuple[UnknownItem, ...]

    @property
    def total(self) -> int:
        """Items in all."""
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        """Items about which nothing more is to be done."""
        return sum(self.counts[state] for state in ENDED)


@attrs.frozen(kw_only=True)
class Status:
    """How far a fleet is.

    Attributes:
        jobs: Its jobs, in the order in which they were enqueued first.
        workers: How many workers are alive.
    """

    jobs: tuple[JobStatus, ...]
    workers: int

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to be worked on."""
        return not any(job.left for job in self.jobs)


async def status(dsn: str, *, out: str | None = None, ttl: float = TTL) -> Status:
    """Return how far the fleet of the database *dsn* is.

    Args:
        dsn: The database.
        out: Only the job whose images go there; all jobs if None.
        ttl: Seconds of silence after which a worker is taken for dead.

    Raises:
        ConfigurationError: *dsn* is no address.
        JournalError: The database can't be used.
    """
    database = await Database.opened(dsn, lambda _: None, patience=0)
    try:
        return await database.writer.write(lambda c: _read(c, out, ttl))
    finally:
        with anyio.CancelScope(shield=True):
            await database.aclose()


def _read(connection: psycopg.Connection[Any], out: str | None, ttl: float) -> Status:
    jobs = connection.execute(
        "SELECT id, out, spent, budget, unit FROM ideogram_jobs"
        " WHERE %(out)s::text IS NULL OR out = %(out)s ORDER BY id",
        {"out": out},
    ).fetchall()
    counted: dict[int, list[Any]] = {job[0]: [] for job in jobs}
    given = {"jobs": list(counted), "recently": RECENTLY}
    for job, *counts in connection.execute(COUNTS, given):
        counted[job].append(counts)
    found = connection.execute(
        "SELECT count(*) FROM procrastinate_workers"
        " WHERE last_heartbeat > now() - make_interval(secs => %s)",
        (ttl,),
    ).fetchone()
    return Status(
        jobs=tuple(_job(connection, job, counted[job[0]]) for job in jobs),
        workers=(found or (0,))[0],
    )


def _job(
    connection: psycopg.Connection[Any], job: tuple[Any, ...], counted: list[Any]
) -> JobStatus:
    number, out, spent, budget, unit = job
    counts: dict[State, int] = dict.fromkeys(STATES, 0)
    counts |= {row[0]: row[1] for row in counted}
    recent = sum(row[2] for row in counted if row[0] in ENDED)
    left = sum(row[3] for row in counted)
    return JobStatus(
        job=number,
        out=out,
        counts=counts,
        left=left,
        spent=money(spent),
        budget=None if budget is None else money(budget),
        unit=unit,
        unpriced=sum(row[4] for row in counted),
        rate=recent / RECENTLY,
        remaining=left * RECENTLY / recent if left and recent else None,
        unknown=_unknown(connection, number),
    )


def _unknown(connection: psycopg.Connection[Any], job: int) -> tuple[UnknownItem, ...]:
    found = connection.execute(
        "SELECT position, request FROM ideogram_items"
        " WHERE job = %s AND state = 'unknown' ORDER BY position LIMIT %s",
        (job, MOST_UNKNOWN),
    )
    return tuple(
        UnknownItem(position=position, request=json.loads(request))
        for position, request in found
    )
