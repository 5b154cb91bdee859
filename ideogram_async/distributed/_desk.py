"""What a worker needs for each job: its journal, its folder, its money."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import psycopg
from anyio import to_thread

from .._call import Halt
from ..errors import ConfigurationError
from ..jobs._budget import Budget
from ..jobs._folder import Folder
from ..jobs._generations import Generations
from ..jobs._items import Item
from ..jobs._run import parts_of
from ..jobs._saver import Saver, revived
from ..jobs._sender import Answered, Sender
from ._claims import Assignment
from ._database import Database
from ._folders import RemoteFolder, folder_at
from ._journal import PostgresJournal


if TYPE_CHECKING:
    from ._worker import Worker


AT_REST = """
SELECT id FROM ideogram_jobs j WHERE NOT is_published
    AND NOT EXISTS (SELECT FROM ideogram_items i WHERE i.job = j.id AND i.queued)
"""


class FleetBudget(Budget):
    """The money of a job that several workers spend.

    Whether a request fits is checked where its intent is written.
    """

    def _fits(self, price: int) -> bool:  # noqa: ARG002  # for all workers together
        return True


@attrs.frozen
class OpenJob:
    """A job that this worker has worked on.

    Attributes:
        journal: Where everything is written.
        folder: Where its images go.
        sender: Sends its items.
        saver: Saves their images.
    """

    journal: PostgresJournal
    folder: Folder
    sender: Sender
    saver: Saver


@attrs.define(eq=False)
class Desk:
    """The jobs that a worker works on.

    Attributes:
        worker: Whose it is.
        database: Where jobs are.
        halt: Ends the worker.
        on_problem: Told of what went wrong with an item.
    """

    worker: Worker
    database: Database
    halt: Halt
    on_problem: Callable[[Item, Exception], None]
    _open: dict[int, OpenJob] = attrs.field(factory=dict[int, OpenJob], init=False)
    _folders: list[Folder] = attrs.field(factory=list[Folder], init=False)

    def close(self) -> None:
        """Close the folders."""
        for folder in self._folders:
            folder.close()

    async def work(self, assigned: Assignment) -> None:
        """Send the item, unless it was answered before, and save its images."""
        job = await self._opened(assigned.job, assigned.revision)
        item = assigned.item
        paid: Answered | None
        if item.state == "answered":
            paid = revived(assigned.known)
        elif item.state == "submitted":
            free = job.sender.generations.hold()
            try:
                paid = await job.sender.follow(assigned.known)
            finally:
                free()
        else:
            paid = await job.sender.deliver(item, assigned.request)
        if paid is not None:
            await job.saver.save(paid)

    async def publish(self, on_published: Callable[[Path], list[Path]] | None) -> bool:
        """Write the manifest of every job at rest; return whether all are written."""
        resting = await self.database.writer.write(
            lambda connection: connection.execute(AT_REST).fetchall()
        )
        for (number,) in resting:
            try:
                job = await self._opened(number)
                await job.journal.export(_publishing(job, on_published))
            except (ConfigurationError, OSError) as error:
                self.halt.end(error)
        return await self.database.writer.write(_is_done)

    async def _opened(self, number: int, revision: int | None = None) -> OpenJob:
        """Return the job of that number, opened anew where it was enqueued anew."""
        known = self._open.get(number)
        if known is not None and revision in {None, known.journal.revision}:
            return known
        journal = await PostgresJournal.opened(self.database, number)
        out, total, budget, allows, embeds, url = await self.database.writer.write(
            lambda connection: connection.execute(
                "SELECT out, total, budget, allow_unknown_price, embed_prompt,"
                " webhook_url FROM ideogram_jobs WHERE id = %s",
                (number,),
            ).fetchone()
        )
        folder = await to_thread.run_sync(folder_at, out, total)
        self._folders.append(folder)
        client, price = self.worker.client, self.worker.price
        failover, _, poller = parts_of(client)
        money = FleetBudget(budget, price or failover.most, allows, journal)
        told, halt = self.on_problem, self.halt
        generations = Generations(failover, poller, journal, halt, url)
        opened = OpenJob(
            journal,
            folder,
            Sender(generations, journal, folder, money, halt, told, price is None),
            Saver(client, journal, folder, halt, told, embeds),
        )
        self._open[number] = opened
        return opened


def _publishing(
    job: OpenJob, on_published: Callable[[Path], list[Path]] | None
) -> Callable[[Iterator[Any]], str]:
    """Return what writes the manifest of *job*, and what belongs beside it."""

    def write(rows: Iterator[Any]) -> str:
        folder = job.folder
        folder.set_manifest_aside(job.journal.marks)
        mark = folder.write_manifest(rows)
        manifest = folder.publish_manifest()
        beside = on_published(manifest) if on_published is not None else []
        if isinstance(folder, RemoteFolder):
            for path in beside:
                folder.send(path)
        return mark

    return write


def _is_done(connection: psycopg.Connection[Any]) -> bool:
    found = connection.execute(
        "SELECT NOT EXISTS (SELECT FROM ideogram_items WHERE queued)"
        " AND NOT EXISTS (SELECT FROM ideogram_jobs WHERE NOT is_published)"
    ).fetchone()
    return (found or (False,))[0]
