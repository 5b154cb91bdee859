"""Runs the soak: `python -m tests.soak --minutes 60`, which `nox -s soak` does.

Once a minute all callers rest; then what the process holds is counted. Memory, open
files, tasks and threads must be flat, and in the end the client's accounts must equal
the service's ledger to the cent.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any, ClassVar, Final

import attrs

from ideogram_async import IdeogramClient, RetryPolicy, Stats

from .accounts import Accounts, audit, gathered
from .service import running
from .traffic import Traffic


CALLERS: Final = 16
WINDOW: Final = 10
"""How many of the samples are compared: the last ones with those after the first 5."""
WARM_UP: Final = 5
MOST_GROWTH: Final = {
    "memory": 1.10,  # the allocator keeps something for each thread there was
    "heap": 1.05,
    "blocks": 1.05,
    "files": 1.05,
    "tasks": 1.05,
    "threads": 2.0,  # idle ones stay for a while
}
REST: Final = 2.5
"""Seconds that idle connections get to close: kept for one, looked at every one."""


@attrs.frozen
class Sample:
    """What the process holds while all callers rest.

    Attributes:
        memory: Resident memory, in bytes; also what the allocator keeps for later.
        heap: What the C library has allocated, in bytes; 0 where it doesn't tell.
        blocks: What Python has allocated beside it, in its own small blocks.
        files: Open file descriptors.
        tasks: Tasks of the event loop.
        threads: Threads.
        places: Places in use, or waited for, and requests under way: 0 at rest.
        done: What was done so far.
    """

    memory: int
    heap: int
    blocks: int
    files: int
    tasks: int
    threads: int
    places: int
    done: int

    @classmethod
    def taken(cls, traffic: Traffic) -> Sample:
        """Take a sample."""
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        stats, accounts = traffic.client.stats(), traffic.accounts
        return cls(
            pages * os.sysconf("SC_PAGE_SIZE"),
            _heap(),
            sys.getallocatedblocks(),
            len(os.listdir("/proc/self/fd")),  # noqa: PTH208  # nothing is opened
            len(asyncio.all_tasks()),
            threading.active_count(),
            sum((stats.in_use, stats.waiting, accounts.under_way, accounts.attempts)),
            accounts.ended,
        )

    def __str__(self) -> str:
        """Return a line."""
        return (
            f"{self.memory / 2**20:.1f} MiB, {self.heap / 2**20:.2f} MiB allocated,"
            f" {self.blocks} objects, {self.files} files, {self.tasks} tasks,"
            f" {self.threads} threads, {self.done} requests"
        )


class _Heap(ctypes.Structure):
    """What glibc's `mallinfo2` tells."""

    _fields_: ClassVar[list[tuple[str, type]]] = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def _heap() -> int:
    """Return the bytes that the C library has allocated."""
    tells = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if tells is None:
        return 0
    tells.restype = _Heap
    told = tells()
    return int(told.uordblks + told.hblkhd)


@attrs.define
class Callers:
    """Many callers who rest together.

    Attributes:
        traffic: What they do.
        may_go: Whether they may begin something.
        busy: How many are at it.
    """

    traffic: Traffic
    may_go: asyncio.Event = attrs.field(factory=asyncio.Event)
    busy: int = 0

    async def call(self) -> None:
        """Be one of them, for ever."""
        while True:
            await self.may_go.wait()
            self.busy += 1
            await self.traffic.one()
            self.busy -= 1

    async def rest(self) -> Sample:
        """Let all of them come to rest, and take a sample."""
        self.may_go.clear()
        while self.busy:  # noqa: ASYNC110  # it is looked at, as files are
            await asyncio.sleep(0.05)
        await asyncio.sleep(REST)
        return Sample.taken(self.traffic)


def growth(samples: list[Sample]) -> list[str]:
    """Return what is not flat."""
    grown = [
        f"{name} at rest: {[getattr(each, name) for each in samples]}"
        for name in ("files", "tasks")
        if getattr(samples[-1], name) > getattr(samples[0], name)
    ]
    if any(each.places for each in samples):
        grown.append("places were in use at rest")
    if len(samples) < 2 * WINDOW:
        return grown
    for name, most in MOST_GROWTH.items():
        values = [getattr(each, name) for each in samples]
        before = median(values[WARM_UP : WARM_UP + WINDOW])
        after = median(values[-WINDOW:])
        say(f"{name}: median {before:.6g} in the beginning, {after:.6g} at the end")
        if after > before * most:
            grown.append(f"{name} grew from {before} to {after}")
    return grown


async def observed(callers: Callers, seconds: float, every: float) -> list[Sample]:
    """Let callers call for *seconds*, and sample *every* so many."""
    samples = list[Sample]()
    tasks = [asyncio.create_task(callers.call()) for _ in range(CALLERS)]
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        callers.may_go.set()
        await asyncio.sleep(every)
        loaded = callers.traffic.client.limiter
        under_load = f"{loaded.in_use} of {loaded.limit} places, {loaded.waiting} wait"
        samples.append(await callers.rest())
        say(f"{len(samples):3} {samples[-1]}; under load {under_load}")
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    return samples


async def soaked(
    url: str, accounts: Accounts, seconds: float, every: float, out: Path
) -> tuple[list[str], Stats]:
    """Soak a client; return what went wrong, and its own counters."""
    retry = RetryPolicy(attempts=8, wait_initial=0.2, wait_max=2.0)
    options: dict[str, Any] = {"retry": retry, "timeout": 8.0, "hooks": accounts}
    async with IdeogramClient("a key", base_url=url, **options) as client:
        traffic = Traffic(client, accounts, out)
        samples = await observed(Callers(traffic), seconds, every)
        problems = traffic.problems + growth(samples)
    stats = client.stats()
    say(f"{dict(traffic.done)}")
    say(
        f"{stats.attempts} attempts, {stats.retries} retries, {stats.refusals} refusals"
    )
    say(f"{stats.downloads} downloads; {traffic.lost} of them at the second try")
    return problems, stats


def soak(seconds: float, every: float, latency: float) -> list[str]:
    """Soak, and return what went wrong."""
    service = running("--latency", str(latency))
    with tempfile.TemporaryDirectory() as folder, service as (url, charges):
        out = Path(folder) / "out"
        out.mkdir()
        accounts = Accounts(Path(folder) / "accounts")
        problems, stats = asyncio.run(soaked(url, accounts, seconds, every, out))
        if left := [each.name for each in out.iterdir() if each.name != "photo.png"]:
            problems.append(f"files are left: {left}")
        wrong, summary = audit(gathered(accounts, charges()), stats)
    say(summary)
    return problems + wrong


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stdout.flush()


def main() -> int:
    """Soak as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=45.0, help="seconds")
    parser.add_argument("--latency", type=float, default=0.6, help="seconds")
    given = parser.parse_args()
    problems = soak(given.minutes * 60, given.every, given.latency)
    for problem in problems[:20]:
        say(problem)
    say(f"{len(problems)} problems" if problems else "nothing leaked, nothing was lost")
    return 1 if problems else 0
