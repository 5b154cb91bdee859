"""The journal on a full disk, and its writer when work goes wrong."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import tracemalloc
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ideogram_async import ImageObject, JournalError
from ideogram_async.jobs import Job
from ideogram_async.jobs._items import Item
from ideogram_async.jobs._saver import Saver
from ideogram_async.jobs._schema import RESERVE, reserve
from ideogram_async.jobs._sender import Answered
from ideogram_async.jobs._sqlite import SqliteJournal
from ideogram_async.jobs._sqlite import _attempt as attempt
from ideogram_async.jobs._writer import Writer

from .shop import selling, shop
from .test_journal import ALL, ignore, made, row


async def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """When the journal can't grow, the job stops, and paid answers are handed over."""
    prompts = [f"{number} " + "long " * 2000 for number in range(1000)]
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with selling(shop()) as (server, client):
        job = Job(prompts, tmp_path)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_500_000, limits[1]))
        try:
            report = await job.run(client)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        known = report.counts["saved"] + report.counts["answered"]
        later = await Job(prompts, tmp_path, limit=1).run(client)

    assert isinstance(report.ended, JournalError)
    assert "the journal can't be written: " in str(report.ended)
    assert not report.is_complete
    paid = {answer["request"]["prompt"] for answer in report.stranded}
    assert len(paid) == len(report.stranded)
    assert server.ran <= known + len(paid)
    assert later.counts["saved"] + later.counts["unknown"] >= server.ran - len(paid)


async def test_room_is_kept_for_what_is_under_way(tmp_path: Path) -> None:
    """When a commit fails room is made, and it is written after all."""
    connection = sqlite3.connect(
        tmp_path / "small", isolation_level=None, check_same_thread=False
    )
    connection.execute("CREATE TABLE items (content)")
    connection.execute("PRAGMA max_page_count = 3")
    faults: list[JournalError] = []

    def make_room() -> bool:
        connection.execute("PRAGMA max_page_count = 10")
        return len(faults) < 10

    writer = Writer(
        partial(attempt, connection), make_room, faults.append, (sqlite3.Error,)
    )
    await writer.write(
        lambda c: c.execute("INSERT INTO items VALUES (zeroblob(12000))")
    )
    assert "full" in str(faults[0])
    with pytest.raises(JournalError, match="full"):
        await writer.write(
            lambda c: c.execute("INSERT INTO items VALUES (zeroblob(90000))")
        )
    with pytest.raises(JournalError, match="full"):
        await writer.write(lambda c: c.execute("DELETE FROM items"))
    writer.post(lambda c: c.execute("DELETE FROM items"))
    writer.close()
    writer = Writer(
        partial(attempt, connection),
        lambda: False,
        faults.append,
        (sqlite3.Error,),
    )
    with pytest.raises(JournalError, match="full"):
        await writer.write(
            lambda c: c.execute("INSERT INTO items VALUES (zeroblob(90000))")
        )
    writer.close()
    assert connection.execute("SELECT count(*) FROM items").fetchone() == (1,)
    connection.close()


async def test_work_that_is_wrong_harms_no_journal(tmp_path: Path) -> None:
    """An error of the work itself is its own, and nobody waits for ever."""
    journal = await SqliteJournal.opened(tmp_path / "journal.sqlite", ignore)
    write = journal._writer.write
    wrong, right = await asyncio.gather(
        write(lambda _: 1 // 0), write(lambda _: 7), return_exceptions=True
    )
    assert isinstance(wrong, ZeroDivisionError)
    assert right == 7
    waiting = asyncio.ensure_future(journal._writer.write(lambda _: 7))
    await asyncio.sleep(0)
    waiting.cancel()
    assert await journal.admit([row(0, "a")], ALL)
    await journal.aclose()


async def test_no_room_for_the_reserve(tmp_path: Path) -> None:
    """A disk without room is told before anything is sent."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        with pytest.raises(JournalError, match=r"can't write .*reserve: File too"):
            await SqliteJournal.opened(tmp_path / "journal.sqlite", ignore)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert os.listdir(tmp_path) == ["journal.sqlite"]  # noqa: PTH208


async def test_the_last_room_is_for_the_journal(tmp_path: Path) -> None:
    """Once the journal is short of room no image is fetched; items stay answered."""
    item = Item(1, 0, "answered", 0, 0, '{"type": "GenerateV3", "prompt": "a cat"}')
    image = ImageObject(url="http://127.0.0.1:1/x.png")
    nothing: Any = None
    journal = await SqliteJournal.opened(tmp_path / "journal.sqlite", ignore)
    saver = Saver(nothing, journal, nothing, nothing, nothing)
    journal._writer.is_short = True
    await saver.save(Answered(item, (image,), ["x.png"]))
    await journal.aclose()

    assert (item.state, saver.images) == ("answered", 0)


async def test_a_folder_that_is_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that can't be written is told before anything is sent."""
    path = tmp_path / "journal.sqlite"
    await made(path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(JournalError, match=r"can't write to .*: Permission denied; "):
        await SqliteJournal.opened(path, ignore)

    assert path.read_bytes() == before


async def test_rows_whose_commit_is_tried_again(tmp_path: Path) -> None:
    """Rows that are written a second time, as room was made, are the same items."""
    path = tmp_path / "journal.sqlite"
    rows = [row(number, "ab"[number % 2]) for number in range(6)]
    journal = await SqliteJournal.opened(path, ignore)
    before = [item.id for item in await journal.admit(rows, ALL)]
    await journal.aclose()
    journal = await SqliteJournal.opened(path, ignore)
    attempt, failed = journal._writer._attempt, list[bool]()

    def fail_once(group: Any) -> list[Any]:
        done = attempt(group)
        if not failed:
            failed.append(True)
            connection = journal._connection
            connection.execute("DELETE FROM items WHERE position > 3")
            raise sqlite3.OperationalError("disk is full")
        return done

    journal._writer._attempt = fail_once
    found = [item.id for item in await journal.admit(rows, ALL)]
    removed = await journal.settle(is_whole=True)
    await journal.aclose()

    assert found == before
    assert (removed, journal.added) == (0, 2)


def test_what_is_kept_back_takes_no_memory(tmp_path: Path) -> None:
    """Keeping megabytes of the disk back takes few kilobytes of memory."""
    spare = tmp_path / "spare"
    tracemalloc.start()
    try:
        reserve(spare)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert spare.stat().st_size == RESERVE
    assert peak < RESERVE / 16
