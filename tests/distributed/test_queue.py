"""The queue and a database that is away, or that refuses what it is asked."""

from __future__ import annotations

import asyncio

import pytest
from procrastinate.exceptions import ConnectorException

from ideogram_async.distributed import _queue
from ideogram_async.distributed._queue import queue_of

from ..postgres import Postgres


async def test_what_the_database_refuses_is_not_asked_again(dsn: str) -> None:
    """An error of the query itself is told at once, as waiting does not mend it."""
    async with queue_of(dsn).open_async() as queue:
        with pytest.raises(ConnectorException):
            await queue.connector.execute_query_one_async("SELECT 1 / 0 AS a")
        with pytest.raises(ConnectorException):
            await queue.connector.execute_query_all_async("SELECT 1 / 0 AS a")


async def test_an_end_that_can_not_be_written_is_left(dsn: str) -> None:
    """The end of an entry that can't be written is left to the rescue."""
    async with queue_of(dsn).open_async() as queue:
        await queue.connector.execute_query_async("SELECT 1 / 0 AS a")
        assert await queue.connector.execute_query_one_async("SELECT 1 AS a")


async def test_a_database_that_is_away_is_waited_for(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query that finds no database is answered when there is one again."""
    monkeypatch.setattr(_queue, "LONGEST_CONNECT", 0.1)
    async with queue_of(postgres.database()).open_async() as queue:
        await asyncio.to_thread(postgres.stop)
        asked = asyncio.create_task(
            queue.connector.execute_query_one_async("SELECT 1 AS a")
        )
        await asyncio.sleep(0.5)
        assert not asked.done()
        await asyncio.to_thread(postgres.server.ensure_postgres_running)
        assert await asked == {"a": 1}
