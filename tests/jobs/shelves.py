"""Where journals are kept: a file and a server, as one run after another sees them."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import tempfile
from pathlib import Path

from ideogram_async import JournalError
from ideogram_async.distributed._claims import claiming, rescuing
from ideogram_async.distributed._database import Database
from ideogram_async.distributed._enqueue import opened_for_reading
from ideogram_async.jobs._items import Item
from ideogram_async.jobs._journal import Journal
from ideogram_async.jobs._sqlite import SqliteJournal


def ignore(_: JournalError) -> None:
    """Take note of nothing."""


class FileShelf:
    """A journal in a file, of which a crash leaves what is on disk at that instant."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.number = 0

    async def opened(self) -> Journal:
        path = self.folder / str(self.number) / "journal.sqlite"
        self.journal = await SqliteJournal.opened(path, ignore)
        return self.journal

    async def crash(self) -> None:
        old = self.folder / str(self.number)
        self.number += 1
        shutil.copytree(old, self.folder / str(self.number))
        await self.aclose()

    async def taken(self, items: list[Item]) -> list[Item]:
        return items

    async def aclose(self) -> None:
        await self.journal.aclose()

    async def remove(self) -> None:
        shutil.rmtree(self.folder)


class ServerShelf:
    """A journal in a server, whose workers are all dead when it is opened anew."""

    numbers = itertools.count()

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.out = f"out {next(self.numbers)}"

    async def opened(self) -> Journal:
        self.database = await Database.opened(self.dsn, ignore, patience=0)
        await self.database.writer.write(rescuing(1))
        return await opened_for_reading(self.database, self.out, {})

    async def crash(self) -> None:
        await self.database.aclose()

    async def taken(self, items: list[Item]) -> list[Item]:
        write = self.database.writer.write
        found = [await write(claiming(item.id, 1)) for item in items]
        return [assigned.item for assigned in found if assigned is not None]

    async def aclose(self) -> None:
        await self.database.aclose()

    async def remove(self) -> None:
        await asyncio.sleep(0)


def shelf(kind: str, dsn: str) -> FileShelf | ServerShelf:
    """Return an empty shelf of *kind*: `"sqlite"` or `"postgres"`."""
    return FileShelf() if kind == "sqlite" else ServerShelf(dsn)
