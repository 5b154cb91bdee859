"""The database: one connection in a thread of its own, which outlives a restart of it.

What is written is written in the order in which it came, in groups, as to a file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Self

import attrs
import psycopg
from anyio import to_thread

from .._dsn import check_dsn
from .._threads import opened
from ..errors import JournalError
from ..jobs._writer import Work, Writer
from ._schema import prepare


PATIENCE: Final = 60.0
"""Seconds for which a database that is away is waited for."""

PAUSE: Final = 0.2
"""Seconds between two attempts to connect."""


@attrs.define(eq=False)
class Database:
    """An open database.

    Attributes:
        dsn: Where it is; holds a password, and is shown to nobody.
        patience: Seconds for which it may be away; 0 where what is written may not be
            written twice.
        writer: Reads and writes.
    """

    dsn: str = attrs.field(repr=False)
    patience: float
    _connection: psycopg.Connection[Any] = attrs.field(repr=False)
    writer: Writer = attrs.field(init=False)

    @classmethod
    async def opened(
        cls,
        dsn: str,
        on_fault: Callable[[JournalError], None],
        *,
        patience: float,
        is_trial: bool = False,
    ) -> Self:
        """Connect to *dsn*, and make the tables where they are missing.

        Args:
            dsn: Such as `"postgresql://user:password@host/name"`.
            on_fault: Called with the first failure to write.
            patience: Seconds for which the database may be away.
            is_trial: Whether all that is written is forgotten in the end.

        Raises:
            ConfigurationError: *dsn* is no address.
            JournalError: It can't be reached, or holds tables of another version.
        """
        check_dsn(dsn)

        def connected() -> psycopg.Connection[Any]:
            connection = psycopg.connect(dsn, autocommit=True)
            try:
                prepare(connection, dsn)
                if is_trial:
                    connection.autocommit = False
                    connection.execute("SELECT 1")  # begins what is never committed
            except BaseException:
                connection.close()
                raise
            return connection

        try:
            connection = await opened(connected)
        except psycopg.Error as error:
            raise JournalError(f"can't use the database: {error}") from None
        database = cls(dsn, patience, connection)
        faults = (psycopg.OperationalError,)
        database.writer = Writer(database._attempt, lambda: False, on_fault, faults)
        return database

    async def aclose(self) -> None:
        """Write all that was handed over, and disconnect."""
        await to_thread.run_sync(self._close)

    def _close(self) -> None:
        self.writer.close()
        self._connection.close()

    def _attempt(self, group: Sequence[Work[Any]]) -> list[Any]:
        until = time.monotonic() + self.patience
        while True:
            try:
                if self._connection.closed:
                    self._connection = psycopg.connect(self.dsn, autocommit=True)
                with self._connection.transaction():
                    return [work(self._connection) for work in group]
            except psycopg.OperationalError as error:
                if not isinstance(error, psycopg.errors.DeadlockDetected):
                    self._connection.close()
                    if time.monotonic() >= until:
                        raise
            time.sleep(PAUSE)
