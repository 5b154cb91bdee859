"""The queue: procrastinate, on a connection that outlives a restart of the database."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import anyio
import psycopg
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as Entry

from ._database import PATIENCE, PAUSE


T = TypeVar("T")

LONGEST_CONNECT: Final = 5.0
"""Seconds to wait for a connection, before it is tried again."""

LOG: Final = logging.getLogger("ideogram_async.distributed")


class PostponedError(Exception):
    """The item is to be tried again later.

    Attributes:
        seconds: How much later.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"postponed for {seconds:.0f} s")
        self.seconds = seconds


class Again(BaseRetryStrategy):
    """Puts an item back into the queue, whatever it ended with: it is never lost."""

    def get_retry_decision(self, *, exception: BaseException, job: Entry) -> Any:
        """Return when the item is tried again."""
        seconds = getattr(exception, "seconds", min(60, 2 ** min(job.attempts, 6)))
        return RetryDecision(retry_in={"seconds": seconds})


class PatientConnector(PsycopgConnector):
    """Waits for a database that is away, and tries again.

    An entry that was taken twice so is of no account: the journal hands out its item
    once. One whose end can't be written is gone already, or is found by the rescue.
    """

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """Run *query*, which ends an entry, puts it back, or says who is alive."""
        run = super().execute_query_async
        try:
            await _patiently(lambda: run(query, **arguments))
        except ConnectorException as error:
            LOG.debug("left to the rescue: %s", error.__cause__)

    async def execute_query_one_async(
        self, query: Any, **arguments: Any
    ) -> dict[str, Any]:
        """Run *query*, and return its row."""
        run = super().execute_query_one_async
        return await _patiently(lambda: run(query, **arguments))

    async def execute_query_all_async(
        self, query: Any, **arguments: Any
    ) -> list[dict[str, Any]]:
        """Run *query*, and return its rows."""
        run = super().execute_query_all_async
        return await _patiently(lambda: run(query, **arguments))


async def _patiently(run: Callable[[], Awaitable[T]]) -> T:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return await run()
        except ConnectorException as error:
            is_away = isinstance(error.__cause__, psycopg.OperationalError)
            if not is_away or time.monotonic() >= until:
                raise
        await anyio.sleep(PAUSE)


def queue_of(dsn: str) -> App:
    """Return the queue in the database *dsn*; it is opened by who uses it."""
    return App(
        connector=PatientConnector(
            conninfo=dsn, min_size=1, max_size=4, timeout=LONGEST_CONNECT
        )
    )
