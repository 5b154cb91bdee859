"""The ledger in a row of PostgreSQL, for any number of machines.

A transaction locks the row, so that all changes of one key follow each other; its time
is the database's. It is two messages and no prepared statement, so that poolers such as
pgbouncer let it pass. Who was given places by somebody else is told by NOTIFY, on the
connection that is used for the transactions; where none comes through, looking every so
often does as well.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from .._dsn import check_dsn
from ..errors import ConfigurationError
from ._ledger import FORMAT
from ._shared import SharedLimiter
from ._store import Change, Store, UnreachableError, opened


if TYPE_CHECKING:
    import psycopg

PATIENCE: Final = 5.0
"""Seconds after which a database that does not answer is given up for now."""

TABLE: Final = f"ideogram_limits_{FORMAT}"
MISSING: Final = f"SELECT to_regclass('{TABLE}') IS NULL"
CREATE: Final = f"""
SELECT pg_advisory_xact_lock(1949106831);
CREATE TABLE IF NOT EXISTS {TABLE} (key text PRIMARY KEY, ledger text)
    WITH (fillfactor = 10)
"""
ADD: Final = f"INSERT INTO {TABLE} VALUES (%s) ON CONFLICT DO NOTHING"  # noqa: S608  # ours
READ: Final = f"""
BEGIN;
SET LOCAL lock_timeout = 4000;
SET LOCAL statement_timeout = 4000;
SET LOCAL idle_in_transaction_session_timeout = 4000;
SELECT
    (SELECT ledger FROM {TABLE} WHERE key = %s FOR UPDATE),
    extract(epoch FROM clock_timestamp())::float8
"""  # noqa: S608  # a name of our own
"""A member that is frozen within a transaction must not hold up all others."""
WRITE: Final = f"""
INSERT INTO {TABLE} VALUES (%s, %s)
    ON CONFLICT (key) DO UPDATE SET ledger = excluded.ledger;
COMMIT
"""  # noqa: S608  # as above
TELL: Final = "SELECT pg_notify(%s, %s); "


class PostgresStore:
    """The ledger of *key* in a database.

    Attributes:
        poll_every: Seconds between two questions for news.

    Args:
        dsn: Address of the database.
        key: Which limit it is.
        places: The limit that a new ledger begins with.
        member: Name of whose it is.
        wake: Called when others have given it places.
    """

    poll_every: float = 0.25

    def __init__(  # the options of the limiter, and its member
        self,
        dsn: str,
        key: str,
        *,
        places: int,
        member: str,
        wake: Callable[[], None],
    ) -> None:
        self._dsn = dsn
        self._key = key
        self._places = places
        self._member = member
        self._wake = wake
        self._channel = "ideogram_" + hashlib.sha256(key.encode()).hexdigest()[:16]
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._is_prepared = False
        self._hears = self._is_told = False
        self._listened: int | None = None

    def change_now(self, change: Change) -> bool:  # noqa: ARG002  # the protocol's
        """Return False: a database has to be waited for."""
        return False

    async def change(self, change: Change) -> None:
        """Change the ledger, in one transaction.

        Raises:
            UnreachableError: The database does not answer, or not in time.
        """
        import psycopg  # noqa: PLC0415  # an extra

        try:
            self._stop_listening()
            connection = await self._connected()
            hurry = asyncio.get_running_loop().call_later(
                PATIENCE, _hang_up, connection
            )
            try:
                await self._transact(connection, change)
            finally:
                hurry.cancel()
            self._listen(connection)
        except (psycopg.Error, OSError) as error:
            reason = " ".join(str(error).split())
        except UnreachableError as error:
            reason = str(error)
        else:
            return
        raise UnreachableError(f"can't use the database of the limit: {reason}")

    def has_news(self) -> bool:
        """Whether others may have changed the ledger without a word."""
        return self._is_told or not self._hears

    async def aclose(self) -> None:
        """Disconnect."""
        self._stop_listening()
        connection, self._connection, self._hears = self._connection, None, False
        if connection is not None:
            await connection.close()

    async def _connected(self) -> psycopg.AsyncConnection[Any]:
        """Return the open connection; or a new one, not prepared yet.

        Raises:
            OSError: There is no answer in time.
        """
        import psycopg  # noqa: PLC0415  # an extra

        if self._connection is not None:
            return self._connection
        async with asyncio.timeout(PATIENCE):
            connection = await psycopg.AsyncConnection.connect(
                self._dsn, autocommit=True, cursor_factory=psycopg.AsyncClientCursor
            )
        # without one psycopg keeps all that comes within a transaction, for ever
        connection.add_notify_handler(lambda told: self._overhear(told.payload))
        self._connection, self._is_prepared, self._hears = connection, False, False
        return connection

    async def _prepare(self, connection: psycopg.AsyncConnection[Any]) -> None:
        found = await (await connection.execute(MISSING)).fetchone()
        if found and found[0]:
            await connection.execute(CREATE)
        await connection.execute(ADD, (self._key,))
        await connection.execute(f"LISTEN {self._channel}".encode())
        self._is_prepared = True

    async def _transact(
        self, connection: psycopg.AsyncConnection[Any], change: Change
    ) -> None:
        try:
            if not self._is_prepared:
                await self._prepare(connection)
            self._is_told = False
            cursor = await connection.execute(READ, (self._key,))
            while cursor.nextset():
                pass
            text, now = await cursor.fetchone() or (None, 0.0)
            ledger = opened(text, self._places)
            served = change(ledger, now)
            told = TELL if served else ""
            names = (self._channel, " ".join(served)) if served else ()
            await connection.execute(told + WRITE, (*names, self._key, ledger.text()))
        except BaseException:
            await self.aclose()
            raise

    def _listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Be told when the database says something between two transactions."""
        self._listened = connection.fileno()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._listened, self._hear, connection)

    def _stop_listening(self) -> None:
        if self._listened is not None:
            asyncio.get_running_loop().remove_reader(self._listened)
            self._listened = None

    def _overhear(self, names: str) -> None:
        """Note who was told within a transaction: maybe just after what it has read."""
        self._is_told |= self._member in names.split()

    def _hear(self, connection: psycopg.AsyncConnection[Any]) -> None:
        import psycopg  # noqa: PLC0415  # an extra

        try:
            connection.pgconn.consume_input()
        except psycopg.Error:  # it is gone; the next transaction has a new one
            self._stop_listening()
            self._connection = None
            connection.pgconn.finish()
            self._wake()
            return
        while (told := connection.pgconn.notifies()) is not None:
            self._hears = True
            if self._member in told.extra.decode().split():
                self._wake()


def _hang_up(connection: psycopg.AsyncConnection[Any]) -> None:
    """Break a connection whose server does not answer, so that its user is told."""
    import psycopg  # noqa: PLC0415  # an extra

    with (
        suppress(OSError, psycopg.Error),
        socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM) as copy,
    ):
        copy.shutdown(socket.SHUT_RDWR)


class PostgresLimiter(SharedLimiter):
    """A gate that any number of machines share, through a PostgreSQL database.

    Use the same *dsn* and *key* everywhere. Places of a process that was killed are
    free again after 30 seconds, since the service goes on with what was sent. Where the
    database is lost, each process goes on with its share of the limit, and the log
    says so. It needs psycopg: `pip install 'ideogram-async[postgres]'`.

    Args:
        dsn: Address of the database, such as
            `"postgresql://user:password@db.example/name"`. A table is made there.
        key: Name of what has the limit, such as that of the organisation; not the API
            key itself.
        places: Images that may be in progress at first, 1 or more; 10, which is the
            service's documented default, if omitted.

    Raises:
        ConfigurationError: psycopg is missing, or *dsn* is no address.
        ValueError: *places* is less than 1.
    """

    def __init__(self, dsn: str, *, key: str, places: int | None = None) -> None:
        super().__init__(places)
        try:
            check_dsn(dsn)
        except ImportError:
            raise ConfigurationError(
                "PostgresLimiter needs psycopg: pip install 'ideogram-async[postgres]'"
            ) from None
        self._dsn = dsn
        self._key = key

    def _store(self, member: str, wake: Callable[[], None]) -> Store:
        return PostgresStore(
            self._dsn, self._key, places=self.limit, member=member, wake=wake
        )
