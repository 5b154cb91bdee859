"""One worker of a fleet: takes items from the queue, sends them, saves their images.

The queue is procrastinate's: it hands out items, knows which workers are alive, and
hands out again what a dead one had. What may be sent is decided by the journal alone.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import anyio
import attrs
import psycopg
from procrastinate import App, JobContext
from procrastinate.exceptions import ConnectorException

from .._call import Call, Halt
from .._queue import LOOK_AHEAD
from ..client import IdeogramClient
from ..errors import BudgetExceededError, JournalError, NotSentError, one_line
from ..jobs import Problem
from ..jobs._budget import Price
from ..jobs._items import Item
from ..jobs._values import ENDED, State
from ._claims import claiming, releasing, rescuing
from ._database import PATIENCE, PAUSE, Database
from ._desk import Desk
from ._journal import TakenError
from ._queue import LOG, Again, PostponedError, queue_of
from ._schema import QUEUE, TASK


TTL: Final = 30.0
"""Seconds of silence after which a worker is taken for dead."""

AWAY: Final = (ConnectorException, psycopg.Error, OSError)
"""What shows that the database is away."""


@attrs.define(eq=False)
class Worker:
    """Works on every job in the database, beside other workers, until it is stopped.

    ```python
    limiter = PostgresLimiter("postgresql://host/name", key="organisation")
    async with IdeogramClient(limiter=limiter) as client:
        await Worker(client, "postgresql://host/name").run()
    ```

    It can be killed at any instant: another worker takes over what it had. An item
    that was under way is unknown then, since it may be paid; all else goes on.

    Attributes:
        client: What sends and downloads; its limiter is the gate, which workers should
            share.
        dsn: The database.
        concurrency: Most items at once, 1 or more; None for as many as the gate allows
            in the beginning.
        ttl: Seconds of silence after which a worker is taken for dead, 1 or more; all
            workers should have the same.
        until_done: Whether to end when nothing is left in the queue.
        price: Tells the most that a request may cost; the published price of the
            dearest provider that may be asked if None.
        on_problem: Told, in the event loop, of every item that has no image, or not
            all of them.
        on_published: Called, in a thread, with the path of every manifest that was
            written; the files whose paths it returns are put beside the manifest.
    """

    client: IdeogramClient
    dsn: str = attrs.field(repr=False)
    concurrency: int | None = attrs.field(default=None, kw_only=True)
    ttl: float = attrs.field(default=TTL, kw_only=True)
    until_done: bool = attrs.field(default=False, kw_only=True)
    price: Price | None = attrs.field(default=None, kw_only=True)
    on_problem: Callable[[Problem], None] | None = attrs.field(
        default=None, kw_only=True
    )
    on_published: Callable[[Path], list[Path]] | None = attrs.field(
        default=None, kw_only=True
    )
    _halt: Halt = attrs.field(factory=Halt, init=False)
    _owners: Counter[int] = attrs.field(factory=Counter[int], init=False)
    _scopes: set[anyio.CancelScope] = attrs.field(
        factory=set[anyio.CancelScope], init=False
    )
    _problems: dict[int, Exception] = attrs.field(
        factory=dict[int, Exception], init=False
    )
    _is_stopped: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        """Check the numbers."""
        for name in ("concurrency", "ttl"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be 1 or more, got {value}")

    async def run(self) -> None:
        """Work until `stop`, or until the key is refused or funds are used up.

        When the task is cancelled nothing new is sent, what is under way is waited for
        and saved, and then the cancellation goes on. A database that is away is waited
        for, up to a minute while something is to be written down.

        Raises:
            IdeogramError: Why it ended, if nobody stopped it.
        """
        database = await Database.opened(self.dsn, self._halt.end, patience=PATIENCE)
        try:
            desk = Desk(self, database, self._halt, self._note)
            try:
                await self._work(database, desk)
            finally:
                desk.close()
        finally:
            with anyio.CancelScope(shield=True):
                await database.aclose()
        if self._halt.reason is not None and not self._is_stopped:
            raise self._halt.reason

    def stop(self, reason: str = "it was stopped") -> None:
        """Send nothing new; what is under way still ends, and its images are saved."""
        self._is_stopped = self._is_stopped or self._halt.reason is None
        self._halt.end(NotSentError(reason))

    def leave(self) -> None:
        """Drop everything at once: what is under way may be paid, and is unknown."""
        self.stop("it was left at once")
        for scope in tuple(self._scopes):
            scope.cancel()

    async def _work(self, database: Database, desk: Desk) -> None:
        queue = queue_of(self.dsn)

        async def work(context: JobContext, item: int) -> None:
            await self._take(database, desk, item, context.job.worker_id or 0)

        queue.task(name=TASK, queue=QUEUE, pass_context=True, retry=Again())(work)
        try:
            async with asyncio.TaskGroup() as group:
                serving = group.create_task(self._serve(queue))
                watching = group.create_task(self._watch(queue, database, desk))
                await asyncio.wait([group.create_task(self._until_halted())])
                serving.cancel()
                await asyncio.wait([serving])
                watching.cancel()
        finally:
            self._halt.end(NotSentError("it was cancelled"))

    async def _until_halted(self) -> None:
        try:
            with suppress(NotSentError):
                await Call(halt=self._halt).wait(anyio.sleep_forever, "to be stopped")
        finally:
            self._halt.end(NotSentError("it was cancelled"))

    async def _serve(self, queue: App) -> None:
        """Run procrastinate's worker, and run it again where it lost the database."""
        limit = self.client.limiter.limit + LOOK_AHEAD
        while not self._halt.reason:
            try:
                async with queue.open_async():
                    await queue.run_worker_async(
                        queues=[QUEUE],
                        concurrency=self.concurrency or limit,
                        install_signal_handlers=False,
                        delete_jobs="always",
                        update_heartbeat_interval=self.ttl / 3,
                        stalled_worker_timeout=self.ttl,
                        fetch_job_polling_interval=min(self.ttl / 3, 5),
                    )
            except AWAY as error:
                LOG.warning("began anew: %s", one_line(str(error.__cause__ or error)))
            await anyio.sleep(PAUSE)

    async def _watch(self, queue: App, database: Database, desk: Desk) -> None:
        """Say that this worker lives, take over from the dead, write manifests."""
        while True:
            with suppress(*AWAY, JournalError):  # of the latter the halt knows
                for owner in tuple(self._owners):
                    await queue.job_manager.update_heartbeat(owner)
                await database.writer.write(rescuing(self.ttl))
                await self._retry_stalled(queue)
                is_done = await desk.publish(self.on_published)
                if self.until_done and is_done:
                    self.stop("all is done")
            await anyio.sleep(min(self.ttl / 3, 5))

    async def _retry_stalled(self, queue: App) -> None:
        """Put back into the queue what a dead worker had taken from it."""
        silent = self.ttl
        for entry in await queue.job_manager.get_stalled_jobs(
            queue=QUEUE, seconds_since_heartbeat=silent
        ):
            with suppress(ConnectorException):  # another worker was faster
                await queue.job_manager.retry_job(entry)

    async def _take(
        self, database: Database, desk: Desk, number: int, owner: int
    ) -> None:
        """Work on one item, as far as it can be brought now."""
        if self._halt.reason:
            raise PostponedError(0)
        assigned = await database.writer.write(claiming(number, owner))
        if assigned is None:
            return
        self._owners[owner] += 1
        before = assigned.item.state
        try:
            with self._leavable():
                await desk.work(assigned)
        except TakenError as error:
            LOG.warning("%s", error)
            return
        except Exception as error:  # noqa: BLE001  # it ends the worker, not the item
            self._halt.end(error)
        finally:
            self._owners -= Counter([owner])
            problem = self._problems.pop(number, None)
        seconds = self._delay(assigned.item.state, before, problem)
        queued = seconds is not None
        await database.writer.write(releasing(assigned, queued=queued))
        if seconds is not None:
            raise PostponedError(seconds)

    def _delay(
        self, state: State, before: State, problem: Exception | None
    ) -> float | None:
        """Return after how many seconds the item is tried again, or None if never."""
        if self._halt.reason and state in {before, "pending", "submitted", "answered"}:
            return 0
        if state in ENDED or state == "sent":
            return None
        if isinstance(problem, BudgetExceededError):
            return 1.0 if getattr(problem, "is_hopeful", False) else None
        return 2.0

    def _note(self, item: Item, error: Exception) -> None:
        self._problems[item.id] = error
        if self.on_problem is not None and not isinstance(error, TakenError):
            asked = json.loads(item.asked)
            self.on_problem(
                Problem(
                    position=item.position, request=asked, state=item.state, error=error
                )
            )

    @contextmanager
    def _leavable(self) -> Generator[None]:
        """Let `leave` cancel what is in the context."""
        with anyio.CancelScope() as scope:
            self._scopes.add(scope)
            try:
                yield
            finally:
                self._scopes.discard(scope)
