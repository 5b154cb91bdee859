"""Several processes share one limit: at work, killed, and frozen."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

import aiohttp
import pytest

from ideogram_async import HostLimiter
from ideogram_async._learning import Verdict
from ideogram_async.limiters import _ledger
from ideogram_async.sandbox import Sandbox

from .homes import Home, command, environment


ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")


@asynccontextmanager
async def holder(home: Home, places: int) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run a process that holds *places*; give it when it does."""
    process = await asyncio.create_subprocess_exec(
        *command("tests.limiters.holder", home.text(), places),
        env=environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"held\n"
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        await process.communicate()


@pytest.mark.slow
async def test_killed_holder_gives_its_places_back(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `kill -9` the places are free, when the time to live is over."""
    monkeypatch.setattr(_ledger, "TIME_TO_LIVE", 2.5)
    async with holder(home, 4) as process, home.limiter(4) as limiter:
        process.kill()
        await process.wait()
        waiting = asyncio.create_task(limiter.acquire(4))
        await asyncio.sleep(0.5)
        assert limiter.in_use == 4
        lease = await waiting
        assert limiter.in_use == 4
        limiter.release(lease, Verdict.SERVED)


@pytest.mark.slow
async def test_frozen_holder_counts_again_when_it_wakes(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was frozen for longer than its time to live still has what is under way."""
    monkeypatch.setattr(_ledger, "TIME_TO_LIVE", 2.0)
    async with holder(home, 4) as process, home.limiter(4) as limiter:
        assert process.stdin is not None
        process.send_signal(signal.SIGSTOP)
        lease = await limiter.acquire()
        monkeypatch.undo()
        assert limiter.in_use == 1
        process.send_signal(signal.SIGCONT)
        process.stdin.write(b"\n")
        waiting = asyncio.create_task(limiter.acquire(4))
        while limiter.in_use < 5:  # noqa: ASYNC110  # the other process has no event
            await asyncio.sleep(0.05)
        assert not waiting.done()
        waiting.cancel()
        limiter.release(lease, Verdict.SERVED)


@pytest.mark.slow
async def test_process_that_ends_leaves_its_places_at_once(home: Home) -> None:
    """Who ends in order, by an interrupt or otherwise, keeps nobody waiting."""
    async with holder(home, 4) as process, home.limiter(4) as limiter:
        waiting = asyncio.create_task(limiter.acquire(4))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        assert process.stdin is not None
        process.stdin.close()
        assert await process.wait() == 0
        limiter.release(await waiting)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_three_processes_find_the_limit_and_share_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three processes start with a limit that is twice the real one."""
    monkeypatch.syspath_prepend(str(ROOT))
    shared = import_module("benchmarks.shared")

    figures = await shared.measure(home.address, 240, 0.05)  # a queue holds 32 of each

    assert figures["peak"] <= shared.LIMIT
    assert figures["refusals"] <= 30
    assert len(figures["served"]) == 3
    assert figures["uneven"] < 0.7


async def test_thousand_waiters(tmp_path: Path) -> None:
    """All of a thousand are served, and the file of the ledger stays small."""
    async with HostLimiter(tmp_path / "limit.db") as limiter:
        done = 0

        async def go(places: int) -> None:
            nonlocal done
            lease = await limiter.acquire(places)
            await asyncio.sleep(0)
            limiter.release(lease, Verdict.SERVED)
            done += 1

        async with asyncio.TaskGroup() as tasks:
            for number in range(1000):
                tasks.create_task(go(1 + number % 4))

    assert done == 1000
    assert (tmp_path / "limit.db").stat().st_size < 100_000


@asynccontextmanager
async def workers(service: str, file: Path) -> AsyncGenerator[str]:
    """Serve the application of the README by four workers; give its address."""
    process = await asyncio.create_subprocess_exec(
        *command("uvicorn", "tests.limiters.site:app", "--workers", 4, "--port", 0),
        env=environment()
        | {
            "IDEOGRAM_API_KEY": "any key",
            "IDEOGRAM_BASE_URL": service,
            "LIMIT_FILE": str(file),
        },
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    told = b""
    try:
        while told.count(b"startup complete") < 4:
            line = await process.stderr.readline()
            assert line, told
            told += line
        found = re.search(rb"running on (http://\S+)", told)
        assert found is not None
        yield found[1].decode()
    finally:
        process.terminate()
        await process.communicate()


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_four_workers_of_a_web_backend_under_load(tmp_path: Path) -> None:
    """All workers together stay within a limit of 6 that none of them knows."""
    async with (
        Sandbox(limit=6, latency=0.1) as sandbox,
        workers(sandbox.url, tmp_path / "limit.db") as url,
        aiohttp.ClientSession(
            url, connector=aiohttp.TCPConnector(limit=0, force_close=True)
        ) as session,
    ):
        answers = list[dict[str, int]]()

        async def visitor() -> None:
            for _ in range(4):
                async with session.get("/picture") as response:
                    assert response.status == 200, await response.text()
                    answers.append(await response.json())

        async with asyncio.TaskGroup() as tasks:
            for _ in range(20):
                tasks.create_task(visitor())

    assert [each["images"] for each in answers] == [2] * 80
    assert len({each["pid"] for each in answers}) > 1
    assert sandbox.ledger.images == 160
    assert sandbox.ledger.most_in_progress <= 6
    assert sandbox.ledger.refusals < 20
