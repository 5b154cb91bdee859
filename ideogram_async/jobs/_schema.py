"""The journal's file: how it is made, opened, checked, and held.

It is one SQLite database in WAL mode with `synchronous=FULL`, so that a commit is on
disk when it returns, also through a loss of power. SQLite's own exclusive lock keeps
other processes out: it dies with its process, needs no second file, and works wherever
SQLite does.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from errno import EACCES
from pathlib import Path
from typing import Final

from .._whole import keep, temporary
from ..errors import JournalError


VERSION: Final = 2
APPLICATION: Final = 0x1D306A6F
"""Marks the file as ours, among all that are SQLite's."""

RESERVE: Final = 4 * 1024 * 1024
"""Bytes kept back on the disk."""
PIECE: Final = 64 * 1024

SCHEMA: Final = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL,
    position INTEGER NOT NULL,
    state TEXT NOT NULL,
    cost INTEGER NOT NULL DEFAULT 0,
    unpriced INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    provider TEXT,
    request TEXT,
    answer TEXT,
    files TEXT,
    error TEXT,
    price INTEGER
);
CREATE INDEX items_by_digest ON items (digest);
CREATE INDEX items_by_state ON items (state, cost, unpriced);
CREATE TABLE facts (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""
"""Equal requests are told apart by their `id`; `cost` is in billionths, and counts all
that may have been billed for the item, `price` what its generation costs."""

UPGRADES: Final = {1: "ALTER TABLE items ADD COLUMN price INTEGER"}
"""What makes the next version of each older one."""


def connected(path: Path | None) -> tuple[sqlite3.Connection, int]:
    """Open the journal at *path*, made if it is missing, and keep others out.

    None stands for a journal in memory, which nobody resumes.

    Returns:
        The connection, and the number by which the file system knows the file.

    Raises:
        JournalError: Another process holds it, it is damaged, of a newer version, or
            no journal; or it can't be read or written. It is left as it is.
    """
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not os.access(path.parent, os.W_OK):  # SQLite has no clear word for it
                raise PermissionError(EACCES, os.strerror(EACCES))
        connection = _opened(path)
        return connection, path.stat().st_ino if path else 0
    except OSError as error:
        reason = error.strerror
    except sqlite3.OperationalError as error:
        reason = str(error)
        if "locked" in reason:
            raise JournalError(
                f"another process works with {path}: wait until it ends, or give this"
                " job another folder"
            ) from None
    except sqlite3.DatabaseError as error:
        raise JournalError(_damaged(path, str(error))) from None
    raise JournalError(
        f"can't write to {path}: {reason}; mend that or choose another folder"
    )


def _opened(path: Path | None) -> sqlite3.Connection:
    if path is not None and not path.exists():
        _make(path)
    connection = sqlite3.connect(
        path or ":memory:", timeout=0, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        if path is None:
            connection.executescript(SCHEMA)
        else:
            _check(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -16000")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _make(path: Path) -> None:
    """Make an empty journal at *path*, unless another process was faster.

    It appears whole; so a file without tables is not new, but has lost them.
    """
    with closing(sqlite3.connect(":memory:")) as blank, temporary(path) as file:
        blank.executescript(SCHEMA)
        file.write(blank.serialize())
        file.flush()
        os.fsync(file.fileno())
        try:
            os.link(file.name, path)
        except FileExistsError:
            return
        except OSError:  # some disks have no links
            keep(file, path)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    def pragma(name: str) -> object:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]

    if not pragma("schema_version"):
        raise JournalError(_damaged(path, "it is empty"))
    if pragma("application_id") != APPLICATION:
        raise JournalError(
            f"{path} is no journal of ideogram: choose another folder or journal"
        )
    version = pragma("user_version")
    if version not in {*UPGRADES, VERSION}:
        raise JournalError(
            f"{path} is a journal of version {version}, and this program knows version"
            f" {VERSION}: update ideogram-async; nothing was changed"
        )
    if (found := pragma("quick_check(1)")) != "ok":
        raise JournalError(_damaged(path, str(found)))


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring an older journal up to this version, within the transaction."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for older in range(version, VERSION):
        connection.execute(UPGRADES[older])
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _damaged(path: Path | None, found: str) -> str:
    return (
        f"{path} is damaged ({found}): nothing was sent or changed; restore it from a"
        " copy, or move it away to begin anew, which pays again"
    )


def rescue(connection: sqlite3.Connection, path: Path) -> None:
    """Write the whole journal anew where its file has vanished.

    Where another file has taken its place it gets a number.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(_free(path) if path.exists() else path)) as copy:
        connection.backup(copy)


def set_aside(path: Path) -> None:
    """Give a journal that nobody holds a number, to begin anew beside it.

    Raises:
        JournalError: Another process holds it, or it can't be read.
    """
    if path.exists():
        connected(path)[0].close()
        path.rename(_free(path))


def _free(path: Path) -> Path:
    """Return *path* with the first number that no file has."""
    number = 1
    while (numbered := path.with_stem(f"{path.stem}.{number}")).exists():
        number += 1
    return numbered


def spare_of(path: Path) -> Path:
    """Return where room is kept for the journal at *path*."""
    return path.with_name(f".{path.name}.reserve")


def reserve(spare: Path | None) -> None:
    """Keep room on the disk, for what is under way when it is full."""
    if spare is not None:
        try:
            with spare.open("wb") as file:  # in pieces: threads keep what they held
                for _ in range(RESERVE // PIECE):
                    file.write(os.urandom(PIECE))
        except OSError as error:
            with suppress(OSError):
                spare.unlink(missing_ok=True)
            raise JournalError(f"can't write {spare}: {error.strerror}") from error


def freed(spare: Path | None) -> bool:
    """Give back what was kept; return whether there was something."""
    if spare is None or not spare.exists():
        return False
    spare.unlink()
    return True
