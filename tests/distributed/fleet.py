"""Kills, freezes and cuts off the workers of a fleet, and checks what is left.

The service is a sandbox in this process; workers are processes of their own, which get
SIGKILL and SIGSTOP. `python tests/distributed/fleet.py --items 2200 --blows 50` is the
whole of it; `nox -s fleet` runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import psycopg
from PIL import Image


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))

from ideogram_async import IdeogramClient, PostgresLimiter, RetryPolicy
from ideogram_async.distributed import Worker, enqueue
from ideogram_async.limiters import _ledger
from ideogram_async.sandbox import Sandbox
from tests.jobs.kill import price, requests
from tests.postgres import Postgres, postgres


TTL = 1.0
PRICE = 30_000_000
LIMIT = 10
"""Images that the service lets be in progress."""


async def work(dsn: str, url: str) -> None:
    """Be a worker until all is done, unless the process is killed."""
    _ledger.TIME_TO_LIVE = TTL  # the sandbox is as much faster than the service
    retry = RetryPolicy(attempts=2, wait_initial=0.01, wait_max=0.02)
    client = IdeogramClient(
        "a key",
        base_url=url,
        retry=retry,
        timeout=20,
        limiter=PostgresLimiter(dsn, key="the fleet's"),
    )
    async with client:
        worker = Worker(
            client, dsn, concurrency=4, ttl=TTL, until_done=True, price=price
        )
        await worker.run()


def rows(dsn: str, columns: str) -> list[Any]:
    """Return *columns* of all items."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        statement: Any = f"SELECT {columns} FROM ideogram_items ORDER BY id"
        return connection.execute(statement).fetchall()


@attrs.define(eq=False)
class Fleet:
    """Workers in processes of their own.

    Attributes:
        dsn: The database.
        url: The service.
        server: Where the database is.
        size: How many there are.
        chance: Decides who is hit, and how.
    """

    dsn: str
    url: str
    server: Postgres
    size: int = 3
    chance: random.Random = attrs.field(factory=lambda: random.Random(7))
    workers: list[subprocess.Popen[bytes]] = attrs.field(factory=list, init=False)
    blows: Counter[str] = attrs.field(factory=Counter[str], init=False)

    def fill(self) -> None:
        """Start workers in the place of those that have ended."""
        self.workers = [each for each in self.workers if each.poll() is None]
        command = [sys.executable, __file__, "--dsn", self.dsn, "--url", self.url]
        while len(self.workers) < self.size:
            worker = subprocess.Popen(command, stdout=subprocess.PIPE)
            assert worker.stdout is not None
            worker.stdout.readline()
            worker.stdout.close()
            self.workers.append(worker)

    def kill(self, number: int) -> None:
        """Kill so many of them at once."""
        self.blows[f"killed {number}"] += 1
        hit = self.chance.sample(self.workers, number)
        for worker in hit:
            worker.kill()
        for worker in hit:
            worker.wait()

    def freeze(self) -> None:
        """Stop one for longer than it takes to be taken for dead, and wake it."""
        self.blows["frozen"] += 1
        worker = self.chance.choice(self.workers)
        worker.send_signal(signal.SIGSTOP)
        time.sleep(2.5 * TTL)
        worker.send_signal(signal.SIGCONT)

    def cut_off(self) -> None:
        """Let the database crash, and start it again."""
        self.blows["database restarted"] += 1
        self.server.restart()

    def strike(self) -> None:
        """Do one of these."""
        blows: list[Callable[[], None]] = [
            *(lambda n=n: self.kill(n) for n in range(1, self.size + 1)),
            self.freeze,
            self.cut_off,
        ]
        self.chance.choice(blows)()

    def finish(self) -> None:
        """Let the fleet come to its end."""
        while any(queued for (queued,) in rows(self.dsn, "queued")):
            self.fill()
            time.sleep(0.2)
        for worker in self.workers:
            worker.wait()

    def end(self) -> None:
        """Leave no process behind."""
        for worker in self.workers:
            worker.kill()
            worker.wait()


def check(dsn: str, out: Path, sandbox: Sandbox, items: int) -> Counter[str]:
    """See that nothing paid is lost, nothing is paid twice, and all is told."""
    billed = sandbox.ledger.times_billed
    assert not billed or max(billed.values()) == 1, "a prompt was paid twice"
    assert sandbox.ledger.most_in_progress <= LIMIT, "there were too many at once"
    found = rows(dsn, "request::json ->> 'prompt', state, files, cost, owner, queued")
    assert len(found) == items
    for prompt, state, files, cost, owner, queued in found:
        assert (owner, queued) == (None, False)
        assert state in {"saved", "unknown"}, state
        assert cost == PRICE
        if state == "saved":
            assert billed[prompt] == 1
            (name,) = json.loads(files)
            with Image.open(out / name) as picture:
                picture.load()
    lines = (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == items
    with psycopg.connect(dsn) as connection:
        spent = connection.execute("SELECT spent FROM ideogram_jobs").fetchone()
    assert spent == (items * PRICE,)
    return Counter(state for _, state, *_ in found)


def run(
    server: Postgres,
    out: Path,
    items: int,
    strikes: list[Callable[[Fleet], None]],
    **sandbox_options: Any,
) -> Counter[str]:
    """Strike the fleet, let it end, and return the number of items per state."""
    dsn = server.database()
    asyncio.run(
        enqueue(requests(items, later=False), dsn, out=out, price=price, budget=items)
    )
    with Sandbox(limit=LIMIT, **sandbox_options).running() as sandbox:
        fleet, at_work = Fleet(dsn, sandbox.url, server), 0
        try:
            for strike in strikes:
                fleet.fill()
                time.sleep(fleet.chance.uniform(0.2, 1.2))
                at_work += any(queued for (queued,) in rows(dsn, "queued"))
                strike(fleet)
            fleet.finish()
            states = check(dsn, out, sandbox, items)
        finally:
            fleet.end()
    states.update(fleet.blows)
    states["most in progress"] = sandbox.ledger.most_in_progress
    states["refusals"] = sandbox.ledger.refusals
    states["struck at work"] = at_work
    return states


def main() -> None:
    """Strike as the arguments say, or be a worker that is struck."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=2200)
    parser.add_argument("--blows", type=int, default=50)
    parser.add_argument("--dsn")
    parser.add_argument("--url")
    given = parser.parse_args()
    if given.dsn:
        sys.stdout.write("begun\n")
        sys.stdout.flush()
        asyncio.run(work(given.dsn, given.url))
        return
    with postgres() as server, tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        strikes = [Fleet.strike] * given.blows
        states = run(server, Path(folder) / "out", given.items, strikes, latency=0.3)
        sys.stdout.write(f"{dict(states)}, {time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
