"""The ledger in a SQLite file, for the processes of one machine.

A transaction takes some dozens of microseconds, so it is done in the event loop; where
another process is writing at that very moment, it is tried again a little later.
Nothing waits for the disk: what a loss of power takes away is of no use after it. The
clock is the machine's, which is the same in all processes and nobody sets.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from ._ledger import FORMAT, Ledger
from ._shared import SharedLimiter
from ._store import Change, Store, UnreachableError, opened


PATIENCE: Final = 5.0
"""Seconds after which a file that others hold is given up for now."""
RETRY_EVERY: Final = 0.001

TABLE: Final = f"ledger_{FORMAT}"
CREATE: Final = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (id INTEGER PRIMARY KEY, text TEXT, bells TEXT)
"""
"""Bells are the names of the members who were given places that they don't know of."""
READ: Final = f"SELECT text, bells FROM {TABLE}"  # noqa: S608  # a name of our own
RINGS: Final = f"SELECT bells FROM {TABLE}"  # noqa: S608  # as above
WRITE: Final = f"REPLACE INTO {TABLE} VALUES (0, ?, ?)"  # noqa: S608  # as above
SETTINGS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = OFF",
    "PRAGMA wal_autocheckpoint = 100",
)

BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL}
"""What SQLite says when others are at it; without what it adds in the higher bits."""


class SqliteStore:
    """A ledger in the file at *path*, made if it is missing.

    Attributes:
        poll_every: Seconds between two questions for news; each takes a microsecond.

    Args:
        path: Where it is: on a disk of this machine.
        places: The limit that a new ledger begins with.
        member: Name of whose it is.
    """

    poll_every: float = 0.01

    def __init__(self, path: Path, places: int, member: str) -> None:
        self._path = path
        self._name = str(path)
        self._member = member
        self._places = places
        self._connection: sqlite3.Connection | None = None
        self._file = 0
        self._version = self._seen = -1
        self._bells = set[str]()
        self._ledger: Ledger | None = None

    def change_now(self, change: Change) -> bool:
        """Change the ledger, unless another process is at it; return whether it was.

        Raises:
            UnreachableError: The file can't be used.
        """
        try:
            return self._transacted(self._connected(), change)
        except OSError as error:
            reason = error.strerror
        except UnreachableError as error:
            reason = str(error)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in BUSY:
                return False
            reason = str(error)
        raise UnreachableError(f"can't use {self._path}: {reason}")

    async def change(self, change: Change) -> None:
        """Change the ledger as soon as no other process is at it.

        Raises:
            UnreachableError: The file can't be used, or is held all the time.
        """
        gives_up_at = time.monotonic() + PATIENCE
        while not self.change_now(change):
            if time.monotonic() > gives_up_at:
                raise UnreachableError(f"{self._path} is locked by another process")
            await asyncio.sleep(RETRY_EVERY)

    def has_news(self) -> bool:
        """Whether another process has rung for this member."""
        if self._connection is None:
            return True
        try:
            version = _version(self._connection)
            if version == self._seen:
                return False
            self._seen = version
            row = self._connection.execute(RINGS).fetchone()
        except sqlite3.Error:
            return True  # of which the next change tells more
        return row is None or self._member in row[0].split()

    async def aclose(self) -> None:
        """Close the file."""
        self._close()

    def _close(self) -> None:
        connection, self._connection, self._ledger = self._connection, None, None
        if connection is not None:
            connection.close()

    def _connected(self) -> sqlite3.Connection:
        """Return the open file; a new one if somebody has removed the old one."""
        connection = self._connection
        if connection is not None:
            if _file_at(self._name) == self._file:
                return connection
            self._close()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=0, isolation_level=None)
        try:
            for setting in SETTINGS:
                connection.execute(setting)
            connection.execute(CREATE)
            self._file = _file_at(self._name)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _transacted(self, connection: sqlite3.Connection, change: Change) -> bool:
        connection.execute("BEGIN IMMEDIATE")
        try:
            ledger, self._ledger = self._read(connection), None
            served = change(ledger, time.monotonic())
            self._bells = (
                (self._bells | served) - {self._member}
            ) & ledger.members.keys()
            connection.execute(WRITE, (ledger.text(), " ".join(self._bells)))
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # it may be undone already
                connection.execute("ROLLBACK")
            raise
        self._ledger = ledger
        return True

    def _read(self, connection: sqlite3.Connection) -> Ledger:
        """Return the ledger; the one of last time if nobody has changed it since."""
        version = _version(connection)
        if self._ledger is not None and version == self._version:
            return self._ledger
        text, bells = connection.execute(READ).fetchone() or (None, "")
        ledger, self._bells = opened(text, self._places), {*bells.split()}
        self._version = version
        return ledger


def _file_at(path: str) -> int:
    """Return which file is at *path*; 0 if there is none."""
    try:
        return os.stat(path).st_ino  # noqa: PTH116  # in each transaction: it is faster
    except FileNotFoundError:
        return 0


def _version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return int(version)


class HostLimiter(SharedLimiter):
    """A gate that all processes of one machine share, through a file.

    Use the same *path* in all of them, and one file for each API key. Places of a
    process that was killed are free again after 30 seconds, since the service goes on
    with what was sent. Where the file can't be used, each process goes on with its
    share of the limit, and the log says so.

    Args:
        path: The file, on a disk of this machine; made if it is missing.
        places: Images that may be in progress at first, 1 or more; 10, which is the
            service's documented default, if omitted.

    Raises:
        ValueError: *places* is less than 1.
    """

    def __init__(self, path: str | os.PathLike[str], places: int | None = None) -> None:
        super().__init__(places)
        self._path = Path(path).absolute()

    def _store(self, member: str, wake: Callable[[], None]) -> Store:  # noqa: ARG002
        return SqliteStore(self._path, self.limit, member)
