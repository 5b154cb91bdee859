"""The journal of a job that runs in one process: an SQLite file beside the images."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

import anyio
import attrs
from anyio import to_thread

from ..errors import JournalError
from ._items import Item, Reread, Row, Terms
from ._journal import Journal
from ._met import Met
from ._schema import connected, freed, rescue, reserve, spare_of, upgrade
from ._values import STATES, State
from ._writer import Work, Writer


@attrs.define(eq=False)
class SqliteJournal(Journal):
    """The open journal of one run.

    Attributes:
        path: Where it is; None for one in memory.
    """

    path: Path | None
    _connection: sqlite3.Connection
    _spare: Path | None
    _inode: int
    _met: Met = attrs.field(factory=Met, init=False)

    @classmethod
    async def opened(
        cls,
        path: Path | None,
        on_fault: Callable[[JournalError], None],
        *,
        is_trial: bool = False,
    ) -> Self:
        """Open the journal at *path*; what an earlier run left as sent is unknown.

        Args:
            path: Where it is; None for one in memory.
            on_fault: Called with the first failure to write.
            is_trial: Whether all that is written is forgotten in the end.

        Raises:
            JournalError: It can't be opened; says why, and what to do.
        """
        connection, inode = await to_thread.run_sync(connected, path)
        spare = None if path is None or is_trial else spare_of(path)
        if is_trial:
            connection.execute("BEGIN")
        attempt = partial(_attempt, connection)
        faults = (sqlite3.Error, OSError)
        writer = Writer(attempt, lambda: freed(spare), on_fault, faults)
        journal = cls(writer, path, connection, spare, inode)
        try:
            await writer.write(journal._begin)
            await to_thread.run_sync(reserve, spare)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await journal.aclose()
            raise
        return journal

    @property
    def is_short(self) -> bool:
        """Whether the disk had no room for it, but what was kept for that."""
        return self._writer.is_short

    @property
    def is_in_place(self) -> bool:
        """Whether the file that is written is still the one at the path."""
        if self.path is None:
            return True
        try:
            return self.path.stat().st_ino == self._inode
        except OSError:
            return False

    async def aclose(self) -> None:
        """Close it; where its file was removed meanwhile, write it anew."""
        await to_thread.run_sync(self._close)

    def _close(self) -> None:
        self._writer.close()
        try:
            if self.path is not None:
                if not self.is_in_place:
                    rescue(self._connection, self.path)
                freed(self._spare)
        except (sqlite3.Error, OSError) as error:
            raise JournalError(f"can't write {self.path}: {error}") from error
        finally:
            self._connection.close()

    def _begin(self, connection: sqlite3.Connection) -> None:
        upgrade(connection)
        self.unit = cast("str | None", self._fact(connection, "unit"))
        self.marks = tuple(str(self._fact(connection, "marks") or "").split())
        self._count(connection)

    def _count(self, connection: sqlite3.Connection) -> None:
        """Give what is left as sent its true name, and count everything."""
        connection.execute("UPDATE items SET state = 'unknown' WHERE state = 'sent'")
        self.counts = Counter(dict.fromkeys(STATES, 0))
        self.spent = self.unpriced = 0
        for state, number, cost, unpriced in connection.execute(
            "SELECT state, count(*), sum(cost), sum(unpriced) FROM items GROUP BY state"
        ):
            self.counts[state] = number
            self.spent += cost
            self.unpriced += unpriced

    @staticmethod
    def _fact(connection: sqlite3.Connection, name: str) -> object:
        found = connection.execute("SELECT value FROM facts WHERE name = ?", (name,))
        return (found.fetchone() or (None,))[0]

    @staticmethod
    def _note(connection: sqlite3.Connection, name: str, value: object) -> None:
        connection.execute("REPLACE INTO facts VALUES (?, ?)", (name, value))

    def count_in(self, unit: str) -> None:
        """Count money in *unit* from now on, where no unit is known yet."""
        self.unit = unit
        self._writer.post(lambda connection: self._note(connection, "unit", unit))

    async def admit(self, rows: Sequence[Row], terms: Terms) -> list[Item]:
        """Find or add *rows*, and return the items that are to be worked on."""

        def work(connection: sqlite3.Connection) -> list[tuple[Item, bool] | None]:
            self._met.undo()  # of a commit that failed, and is tried again
            return [self._admitted(connection, row, terms) for row in rows]

        found = await self._writer.write(work)
        self._met.confirm()
        admitted = [each for each in found if each is not None]
        added = sum(is_new for _, is_new in admitted)
        self.duplicates += len(found) - len(admitted)
        self.added += added
        self.counts["pending"] += added
        return [item for item, _ in admitted if item.state in terms.states]

    def _admitted(
        self, connection: sqlite3.Connection, row: Row, terms: Terms
    ) -> tuple[Item, bool] | None:
        position, digest, asked, _ = row
        if terms.dedupe and self._met.has_any(connection, digest):
            return None
        found = self._met.next(connection, digest)
        if found is not None:
            number, stood, state, cost, unpriced = found
            if position != stood:
                connection.execute(
                    "UPDATE items SET position = ? WHERE id = ?", (position, number)
                )
            return Item(number, position, state, cost, unpriced, asked), False
        added = connection.execute(
            "INSERT INTO items (digest, position, state) VALUES (?, ?, 'pending')",
            (digest, position),
        )
        number = cast("int", added.lastrowid)
        self._met.add(number)
        return Item(number, position, "pending", 0, 0, asked), True

    def _update(
        self, item: Item, values: dict[str, object]
    ) -> Callable[[sqlite3.Connection], None]:
        names = ", ".join(f"{name} = ?" for name in values)
        found = (*values.values(), item.id)

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"UPDATE items SET {names} WHERE id = ?",  # noqa: S608  # our names
                found,
            )

        return work

    async def left(self, state: State) -> dict[int, list[str | None]]:
        """Return the items that earlier runs left in *state*, with their names.

        Those are the names of images that may not be on disk yet.
        """

        def work(connection: sqlite3.Connection) -> dict[int, list[str | None]]:
            rows = connection.execute(
                "SELECT id, files FROM items WHERE state = ? ORDER BY id", (state,)
            )
            return {number: json.loads(files) for number, files in rows}

        return await self._writer.write(work)

    async def reread(self, number: int) -> Reread:
        """Return an item that an earlier run left submitted or answered."""
        row = await self._writer.write(
            lambda connection: connection.execute(
                "SELECT id, position, state, cost, unpriced, request, answer, files,"
                " price FROM items WHERE id = ?",
                (number,),
            ).fetchone()
        )
        return Reread(Item(*row[:6]), json.loads(row[6]), json.loads(row[7]), row[8])

    async def settle(self, *, is_whole: bool) -> int:
        """End the run: name what is unknown; forget what the source has no more.

        Args:
            is_whole: Whether the source was read to its end.

        Returns:
            How many items that were never sent were forgotten.
        """

        def work(connection: sqlite3.Connection) -> int:
            removed = 0
            if is_whole:
                removed = self._met.forget_others(connection)
            self._count(connection)
            return removed

        return await self._writer.write(work)

    async def export(self, write: Callable[[Iterator[Any]], str]) -> bool:
        """Let *write* have every item that was sent; return whether it could write.

        What it returns marks the file that it wrote; the mark is remembered, and the
        one before, since the file isn't in its place yet.
        """

        def work(connection: sqlite3.Connection) -> bool:
            rows = connection.execute(
                "SELECT position, request, answer, files, attempts, error, state, cost,"
                " unpriced FROM items WHERE state != 'pending' ORDER BY id"
            )
            try:
                self.marks = (*self.marks[-1:], write(rows))
            except OSError:
                return False
            self._note(connection, "marks", " ".join(self.marks))
            return True

        return await self._writer.write(work)


def _attempt(connection: sqlite3.Connection, group: Sequence[Work[Any]]) -> list[Any]:
    """Run *group* in one transaction; a trial is one whole transaction already."""
    is_trial = connection.in_transaction
    if is_trial:
        return [work(connection) for work in group]
    try:
        connection.execute("BEGIN IMMEDIATE")
        results = [work(connection) for work in group]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results
