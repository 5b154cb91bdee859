"""Workers in this process, and what they leave in the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import anyio
import psycopg

from ideogram_async import Limiter
from ideogram_async.distributed import Worker

from ..jobs.shop import price
from ..servers import Server, client_of


async def work(
    dsn: str, server: Server, workers: int = 1, **options: Any
) -> list[Worker]:
    """Let so many workers work until all is done."""
    given = {"ttl": 1, "until_done": True, "price": price} | options
    crew = list[Worker]()
    async with AsyncExitStack() as stack, anyio.create_task_group() as group:
        for _ in range(workers):
            made = client_of(server.url, limiter=Limiter(4, learn=False))
            worker = Worker(await stack.enter_async_context(made), dsn, **given)
            crew.append(worker)
            group.start_soon(worker.run)
    return crew


def rows(dsn: str, columns: str) -> list[Any]:
    """Return *columns* of all items."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        statement: Any = f"SELECT {columns} FROM ideogram_items ORDER BY id"
        return connection.execute(statement).fetchall()


def states(dsn: str) -> Counter[str]:
    """Return how many items are in each state."""
    return Counter(state for (state,) in rows(dsn, "state"))


def change(dsn: str, statement: str) -> None:
    """Run *statement*."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        text: Any = statement
        connection.execute(text)


async def until_it_is(
    condition: Callable[[], object], pause: Callable[[float], Awaitable[None]]
) -> None:
    """Wait until *condition*, which asks the database, is true."""
    while not condition():
        await pause(0.05)
