"""The journal of a job that runs on many machines: rows in PostgreSQL.

An item is worked on by whoever claimed it last: each write says so, and one that comes
too late changes nothing. So a worker that was taken for dead, and wakes, can't send
what was given to another, or was declared unknown. What it may still write down is the
answer to what it had sent before, as long as nobody has sent that again.

The money is checked where the intent is written, in the same statement: all workers
together can't go over the budget, and nothing that was set aside is lost with a worker.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Self

import attrs
import psycopg
from psycopg import sql

from ..errors import BudgetExceededError, IdeogramError
from ..jobs._items import Item, Reread, Row, Terms
from ..jobs._journal import Journal
from ..jobs._values import ENDED, STATES, State, money
from ..jobs._writer import Work
from ._admission import Admission
from ._database import Database


MANIFEST_ROWS: Final = 500
"""How many rows of a manifest are fetched at once."""

HELD: Final = "owner IS NOT NULL"
ANSWERABLE: Final = (
    "(owner IS NOT NULL OR state IN ('unknown', 'submitted', 'answered'))"
)
"""What was sent may be answered late, unless another has claimed it since."""

MOVE: Final = """
WITH old AS (
    SELECT id, job, cost FROM ideogram_items
    WHERE id = %(id)s AND claim = %(claim)s AND {may} FOR UPDATE
), paid AS (
    UPDATE ideogram_jobs j SET spent = j.spent + %(cost)s - old.cost
    FROM old WHERE j.id = old.job AND %(cost)s <> old.cost AND (
        {is_settled} OR j.budget IS NULL
        OR j.spent + %(cost)s - old.cost <= j.budget
    ) RETURNING j.id
)
UPDATE ideogram_items i SET {columns}, moved_at = now() FROM old
WHERE i.id = old.id AND (old.cost = %(cost)s OR EXISTS (SELECT FROM paid))
RETURNING i.id
"""
"""Writes an item and its money. It can be repeated: what counts is the old cost."""


WHY: Final = """
SELECT j.spent, j.budget, j.unit, j.spent + %(cost)s - i.cost <= j.budget OR EXISTS (
    SELECT FROM ideogram_items
    WHERE job = j.id AND state IN ('sent', 'submitted')
) FROM ideogram_items i JOIN ideogram_jobs j ON j.id = i.job
WHERE i.id = %(id)s AND i.claim = %(claim)s AND i.owner IS NOT NULL
    AND j.budget IS NOT NULL
"""
"""Money and what is under way, at one moment: the one may set the other free."""

PUBLISH: Final = """
SELECT id FROM ideogram_jobs WHERE id = %s AND NOT is_published FOR UPDATE SKIP LOCKED
"""


class TakenError(IdeogramError):
    """The item is no longer this worker's: it was declared unknown, or given away."""


class OverBudgetError(BudgetExceededError):
    """The request doesn't fit into the budget of all workers.

    Attributes:
        is_hopeful: Whether it may fit yet, as something under way may be free.
    """

    is_hopeful: bool = False


@attrs.define(eq=False)
class Claimed(Item):
    """An item that this worker has claimed.

    Attributes:
        claim: What its writes are known by.
    """

    claim: int = attrs.field(kw_only=True)


@attrs.define(eq=False)
class PostgresJournal(Journal):
    """The open journal of one job.

    Attributes:
        database: Where it is.
        job: Number of the job.
        revision: How often its source was read.
    """

    database: Database
    job: int
    revision: int = attrs.field(default=0, init=False)

    @classmethod
    async def opened(cls, database: Database, job: int) -> Self:
        """Open the journal of *job*."""
        journal = cls(database.writer, database, job)
        await database.writer.write(journal._begin)
        return journal

    @property
    def is_short(self) -> bool:
        """Whether there is no room for it: the server says so by failing."""
        return False

    async def aclose(self) -> None:
        """Write all that was handed over; the database stays open."""
        await self._writer.write(lambda _: None)

    def _begin(self, connection: psycopg.Connection[Any]) -> None:
        found = connection.execute(
            "SELECT unit, marks, revision FROM ideogram_jobs WHERE id = %s", (self.job,)
        ).fetchone()
        self.unit, marks, self.revision = found or (None, "", 0)
        self.marks = tuple(marks.split())
        self._count(connection)

    def _count(self, connection: psycopg.Connection[Any]) -> None:
        self.counts = Counter(dict.fromkeys(STATES, 0))
        self.spent = self.unpriced = 0
        for state, number, cost, unpriced in connection.execute(
            "SELECT state, count(*), sum(cost)::bigint, sum(unpriced)"
            " FROM ideogram_items WHERE job = %s GROUP BY state",
            (self.job,),
        ):
            self.counts[state] = number
            self.spent += cost
            self.unpriced += unpriced

    def count_in(self, unit: str) -> None:
        """Count money in *unit* from now on, where no unit is known yet."""
        self.unit = unit
        self._writer.post(
            lambda connection: connection.execute(
                "UPDATE ideogram_jobs SET unit = coalesce(unit, %s) WHERE id = %s",
                (unit, self.job),
            )
        )

    async def admit(self, rows: Sequence[Row], terms: Terms) -> list[Item]:
        """Find or add *rows*, queue and return the items that are to be worked on."""
        admission = Admission(self.job, self.revision, terms)
        admitted = await self._writer.write(lambda c: admission.admit(c, rows))
        self.duplicates += admitted.duplicates
        self.added += admitted.added
        self.counts["pending"] += admitted.added
        return admitted.items

    def _update(
        self, item: Item, values: dict[str, object]
    ) -> Work[IdeogramError | None]:
        if not isinstance(item, Claimed):
            raise TypeError(f"item {item.id} is written without being claimed")
        state = values["state"]
        values["queued"] = state not in ENDED
        statement = sql.SQL(MOVE).format(
            may=sql.SQL(HELD if state == "sent" else ANSWERABLE),
            is_settled=sql.SQL("false" if state == "sent" else "true"),
            columns=sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name))
                for name in values
            ),
        )
        given = {"id": item.id, "claim": item.claim, **values}

        def work(connection: psycopg.Connection[Any]) -> IdeogramError | None:
            try:
                found = connection.execute(statement, given).fetchone()
            except psycopg.errors.UniqueViolation:
                raise FileExistsError(f"{values['files']} is taken") from None
            return None if found else self._refusal(connection, given)

        return work

    def _refusal(
        self, connection: psycopg.Connection[Any], given: Mapping[str, Any]
    ) -> IdeogramError:
        """Return why an item could not be written."""
        found = connection.execute(WHY, given).fetchone()
        if found is None:
            return TakenError(
                f"item {given['id']} is no longer this worker's: it was taken for dead"
            )
        spent, budget, unit, is_hopeful = found
        error = OverBudgetError(
            f"the next request doesn't fit, and {money(spent):f} of {money(budget):f}"
            f" {unit} are spent: enqueue it again with a larger budget"
        )
        error.is_hopeful = is_hopeful
        return error

    async def left(self, state: State) -> dict[int, list[str | None]]:
        """Return the items that are in *state*, with the names of their images."""

        def work(connection: psycopg.Connection[Any]) -> dict[int, list[str | None]]:
            rows = connection.execute(
                "SELECT id, files FROM ideogram_items"
                " WHERE job = %s AND state = %s ORDER BY id",
                (self.job, state),
            )
            return {number: json.loads(files) for number, files in rows}

        return await self._writer.write(work)

    async def reread(self, number: int) -> Reread:
        """Return an item that was submitted or answered."""
        row = await self._writer.write(
            lambda connection: connection.execute(
                "SELECT id, position, state, cost, unpriced, request, claim, answer,"
                " files, price FROM ideogram_items WHERE id = %s",
                (number,),
            ).fetchone()
        )
        item = Claimed(*row[:6], claim=row[6])
        return Reread(item, json.loads(row[7]), json.loads(row[8]), row[9])

    async def settle(self, *, is_whole: bool) -> int:
        """End an enqueuing: forget what the source has no more, and was never sent."""

        def work(connection: psycopg.Connection[Any]) -> int:
            removed = 0
            if is_whole:
                removed = connection.execute(
                    "DELETE FROM ideogram_items WHERE job = %s AND state = 'pending'"
                    " AND cost = 0 AND unpriced = 0 AND seen <> %s AND owner IS NULL",
                    (self.job, self.revision),
                ).rowcount
            self._count(connection)
            return removed

        return await self._writer.write(work)

    async def export(self, write: Callable[[Iterator[Any]], str]) -> bool:
        """Let *write* have every item that was sent, unless another worker does.

        Raises:
            OSError: It could not be written.
        """

        def work(connection: psycopg.Connection[Any]) -> bool:
            if connection.execute(PUBLISH, (self.job,)).fetchone() is None:
                return False  # another worker does, or did
            with connection.cursor("manifest") as cursor:
                cursor.itersize = MANIFEST_ROWS
                cursor.execute(
                    "SELECT position, request, answer, files, attempts, error, state,"
                    " cost, unpriced FROM ideogram_items"
                    " WHERE job = %s AND state <> 'pending' ORDER BY id",
                    (self.job,),
                )
                self.marks = (*self.marks[-1:], write(iter(cursor)))
            connection.execute(
                "UPDATE ideogram_jobs SET marks = %s, is_published = true"
                " WHERE id = %s",
                (" ".join(self.marks), self.job),
            )
            return True

        return await self._writer.write(work)
