"""The file of a `HostLimiter`: gone, broken, held by another, and back."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import sys
from pathlib import Path

import pytest

from ideogram_async import HostLimiter
from ideogram_async._learning import Verdict
from ideogram_async.limiters import _sqlite
from ideogram_async.limiters._ledger import Ledger
from ideogram_async.limiters._sqlite import SqliteStore
from ideogram_async.limiters._store import UnreachableError


def store(path: Path) -> SqliteStore:
    """Return a store at *path*."""
    return SqliteStore(path, 10, "m")


def untouched(ledger: Ledger, now: float) -> set[str]:
    """Change nothing."""
    return set()


def remove_all(folder: Path) -> None:
    """Remove all files of *folder*."""
    for each in folder.iterdir():
        each.unlink()


async def test_missing_folders_are_made(tmp_path: Path) -> None:
    """The file is made with its folders, by the first who needs it."""
    path = tmp_path / "a" / "b" / "limit.db"
    async with HostLimiter(path) as limiter:
        limiter.release(await limiter.acquire())

    assert path.exists()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.parent.write_text("no folder"), "File exists|exist"),
        (lambda path: path.mkdir(parents=True), "unable to open database file"),
    ],
    ids=["the folder is a file", "the file is a folder"],
)
async def test_path_that_can_not_be_used(
    make: object, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A path where no file can be leaves each process on its own, and says so."""
    caplog.set_level(logging.WARNING, "ideogram_async")
    path = tmp_path / "folder" / "limit.db"
    make(path)  # type: ignore[operator]
    async with HostLimiter(path, 4) as limiter:
        lease = await limiter.acquire(4)
        assert limiter.in_use == 4
        limiter.release(lease, Verdict.SERVED)

    (message,) = [r.getMessage() for r in caplog.records if r.name == "ideogram_async"]
    assert message.startswith(f"can't use {path}: ")
    assert message.endswith("; this process goes on alone with 4 of 4 places")


@pytest.mark.parametrize("text", ["null", "{}", "nonsense", "[1, 2, 3, 4]"])
async def test_something_else_in_the_file(text: str, tmp_path: Path) -> None:
    """A row that holds no ledger is left alone."""
    path = tmp_path / "limit.db"
    opened = store(path)
    assert opened.change_now(untouched)
    await opened.aclose()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE {_sqlite.TABLE} SET text = ?", (text,))
    opened = store(path)

    with pytest.raises(UnreachableError, match="there is something else in its place"):
        opened.change_now(untouched)
    await opened.aclose()


async def test_file_of_another_kind(tmp_path: Path) -> None:
    """A file that is no database is not touched."""
    path = tmp_path / "limit.db"
    path.write_bytes(b"a picture, or so " * 100)
    opened = store(path)

    with pytest.raises(UnreachableError, match="file is not a database"):
        opened.change_now(untouched)
    assert opened.has_news()
    assert path.read_bytes().startswith(b"a picture")


async def test_file_that_another_process_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is stopped while it writes holds up the others for a time, and not longer."""
    caplog.set_level(logging.WARNING, "ideogram_async")
    monkeypatch.setattr(_sqlite, "PATIENCE", 0.2)
    path = tmp_path / "limit.db"
    async with HostLimiter(path, 4) as limiter:
        held = await limiter.acquire()
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            lease = await limiter.acquire(3)
            other.rollback()
        while len(caplog.records) < 2:  # noqa: ASYNC110  # the log has no event
            await asyncio.sleep(0.05)
        assert limiter.in_use == 4
        limiter.release(lease, Verdict.SERVED)
        limiter.release(held, Verdict.SERVED)

    parted, back = [r.getMessage() for r in caplog.records]
    assert "is locked by another process; this process goes on alone" in parted
    assert back == "the shared limit is back"


async def test_moment_in_which_another_process_writes(tmp_path: Path) -> None:
    """Who finds the file in use waits a moment, and the event loop goes on."""
    path = tmp_path / "limit.db"
    async with HostLimiter(path, 4) as limiter:
        limiter.release(await limiter.acquire())
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(limiter.acquire(3))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            other.rollback()
        limiter.release(await waiting)


@pytest.mark.skipif(sys.platform == "win32", reason="an open file can't be removed")
async def test_file_that_somebody_removes(tmp_path: Path) -> None:
    """Who cleans up takes no limit away: members meet again in a new file."""
    path = tmp_path / "limit.db"
    async with HostLimiter(path, 4) as one, HostLimiter(path, 4) as other:
        held = await one.acquire(3)
        remove_all(tmp_path)
        one.release(await one.acquire())
        waiting = asyncio.create_task(other.acquire(2))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        one.release(held, Verdict.SERVED)
        other.release(await waiting)


async def test_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    """Whatever interrupts a change, the file is as it was, and free."""
    opened, other = store(tmp_path / "limit.db"), store(tmp_path / "limit.db")

    def broken(ledger: Ledger, now: float) -> set[str]:
        ledger.join("m")
        raise KeyboardInterrupt

    def count(ledger: Ledger, now: float) -> set[str]:
        assert not ledger.members
        return set()

    with pytest.raises(KeyboardInterrupt):
        opened.change_now(broken)
    assert opened.change_now(count)
    assert other.change_now(count)
    await opened.aclose()
    await other.aclose()


async def test_ledger_that_somebody_drops(tmp_path: Path) -> None:
    """Where the bells can't be read, the next change looks; it says what is wrong."""
    path = tmp_path / "limit.db"
    opened, other = store(path), sqlite3.connect(path)
    assert opened.change_now(untouched)
    with contextlib.closing(other):
        other.execute(f"DROP TABLE {_sqlite.TABLE}")

    assert opened.has_news()
    with pytest.raises(UnreachableError, match="no such table"):
        opened.change_now(untouched)
    await opened.aclose()
    assert opened.change_now(untouched)
    await opened.aclose()


async def test_bells_ring_for_those_who_are_meant(tmp_path: Path) -> None:
    """A member is told once of places that it was given, and of nothing else."""
    path = tmp_path / "limit.db"
    one, two, three = (SqliteStore(path, 10, name) for name in ("a", "b", "c"))

    def joining(*served: str) -> object:
        def change(ledger: Ledger, now: float) -> set[str]:
            ledger.advance(now)
            for name in ("a", "b", "c"):
                ledger.join(name)
            return {*served}

        return change

    assert two.has_news()
    for each in (one, two, three):
        each.change_now(joining())  # type: ignore[arg-type]
    assert [each.has_news() for each in (one, two, three)] == [False] * 3
    one.change_now(joining("b", "gone"))  # type: ignore[arg-type]
    assert [each.has_news() for each in (one, two, three)] == [False, True, False]
    assert not two.has_news()
    two.change_now(joining())  # type: ignore[arg-type]
    assert [each.has_news() for each in (one, two, three)] == [False] * 3
    for each in (one, two, three):
        await each.aclose()
