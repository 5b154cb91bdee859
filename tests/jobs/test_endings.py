"""Jobs that are stopped, left, cancelled, or refused because another one runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
import pytest

from ideogram_async import (
    JournalError,
    NotSentError,
)
from ideogram_async.jobs import Job

from ..servers import silence, until
from .shop import PROMPTS, files, rows, selling, shop, states


async def test_stop_saves_what_is_under_way(tmp_path: Path) -> None:
    """After `stop` nothing new leaves, and what is under way is saved."""
    async with selling(shop(seconds=0.2)) as (server, client):
        job = Job(PROMPTS, tmp_path, on_progress=lambda _: None)

        async def stop() -> None:
            await until(lambda: server.in_progress == 4)
            job.stop("enough")

        async with anyio.create_task_group() as group:
            group.start_soon(stop)
            report = await job.run(client)

    assert states(report) == {"saved": 4, "pending": 8}
    assert isinstance(report.ended, NotSentError)
    assert str(report.ended) == "enough"
    assert server.ran == 4


async def test_stop_ends_a_source_that_waits(tmp_path: Path) -> None:
    """`stop` also ends an async source that never gives the next row."""

    async def slow() -> AsyncGenerator[str]:
        yield "a cat"
        await anyio.sleep_forever()

    async with selling(shop()) as (server, client):
        job = Job(slow, tmp_path)

        async def stop() -> None:
            await until(lambda: server.ran)
            job.stop()

        async with anyio.create_task_group() as group:
            group.start_soon(stop)
            report = await job.run(client)

    assert states(report) == {"saved": 1}


async def test_leave_drops_everything(tmp_path: Path) -> None:
    """After `leave` the run ends at once; what was under way is unknown."""
    async with selling(silence) as (server, client):
        job = Job(PROMPTS, tmp_path)
        job.leave()
        job.stop()

        async def leave() -> None:
            await until(lambda: server.in_progress == 4 or server.ran == 4)
            job.leave()

        with anyio.fail_after(3):
            async with anyio.create_task_group() as group:
                group.start_soon(leave)
                report = await job.run(client)

    assert report.counts["unknown"] == 4
    assert report.counts["pending"] == 8
    assert not report.is_complete


async def test_a_cancelled_run_waits_for_what_is_paid(tmp_path: Path) -> None:
    """Cancelling lets nothing new out; answers under way are written down."""
    async with selling(shop(seconds=0.3)) as (server, client):
        job = Job(PROMPTS, tmp_path)
        run = asyncio.create_task(job.run(client))
        await until(lambda: server.in_progress == 4)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert server.ran == 4
        told = {row[0] for row in rows(tmp_path, "state")}
        assert told <= {"answered", "saved", "pending"}
        report = await job.run(client)

    assert report.is_complete
    assert set(server.runs.values()) == {1}


async def test_a_second_run_at_the_same_time(tmp_path: Path) -> None:
    """A second job on one journal is refused; the first one goes on."""
    async with selling(shop(seconds=0.3)) as (server, client):
        job = Job(["a cat"], tmp_path)

        async def refused() -> None:
            await until(lambda: server.in_progress)
            with pytest.raises(JournalError, match="another process works with"):
                await Job(["a dog"], tmp_path).run(client)

        async with anyio.create_task_group() as group:
            group.start_soon(refused)
            report = await job.run(client)

    assert report.is_complete
    assert server.runs == {"a cat": 1}


@pytest.mark.parametrize("turns", [*range(0, 60, 4), 90, 150])
async def test_a_run_is_cancelled_anywhere(tmp_path: Path, turns: int) -> None:
    """Wherever a run is cancelled, and twice, nothing is left open or half written."""
    out = tmp_path / "out"
    async with selling(shop(seconds=0.002)) as (server, client):
        job = Job(PROMPTS[:4], out, embed_prompt=True)
        run = asyncio.create_task(job.run(client))
        for _ in range(turns):
            await asyncio.sleep(0)
        for _ in range(2):
            run.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await run
        assert client.limiter.in_use == 0
        left = files(out) if out.exists() else set[str]()
        assert [name for name in left if name.startswith(".")] == []
        report = await job.run(client)

    assert report.is_complete
    assert set(server.runs.values()) == {1}


async def test_what_is_left_before_it_was_sent(tmp_path: Path) -> None:
    """What is left while it is written down as sent is not unknown: it never left."""
    async with selling(shop()) as (server, client):
        job = Job(["a cat"], tmp_path)
        run = asyncio.create_task(job.run(client))
        while not is_being_sent(job):  # noqa: ASYNC110  # the very turn
            await asyncio.sleep(0)
        job.leave()
        report = await run

    assert server.requests == []
    assert states(report) == {"pending": 1}
    assert report.spent == 0


def is_being_sent(job: Job) -> bool:
    """Whether something is written down as sent, or has been."""
    engine = job._run and job._run._engine
    return bool(engine and engine.journal.counts["sent"])
