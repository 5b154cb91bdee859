"""Measure the limiters that several processes share.

    python -m benchmarks.shared [host] [postgres] [--items 600] [--latency 0.5]

Three processes send requests for 1 to 4 images, through one limiter, to a sandbox whose
limit they don't know. Utilisation is the work that was served (places x seconds) over
the limit and the time from the first start to the last answer. Shares are what each
process was served by the time when the first of them had no more to send. Before that a
single process does the same with a `Limiter`, for comparison.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Final

from ideogram_async import (
    Gate,
    GenerateV3,
    HostLimiter,
    IdeogramClient,
    Limiter,
    PostgresLimiter,
    hooks,
)
from ideogram_async._learning import Verdict
from ideogram_async.sandbox import Sandbox

from .figures import ENVIRONMENT, ROOT, require, rounded


KINDS: Final = ("host", "postgres")
WORKERS: Final = 3
SINGLE: Final = ""
"""The home of a limit that nobody shares."""
LIMIT: Final = 10
GUESS: Final = 20
"""What the processes take the limit for at first."""
LATENCY: Final = 0.5
MOST_IMAGES: Final = 4
ROUNDS: Final = 500
"""How often places are taken and given back, to see what it costs."""

Shared = HostLimiter | PostgresLimiter


def limiter_at(home: str, places: int | None = None) -> Shared:
    """Return a limiter on a file; or, of an address, on a database."""
    if "://" in home:
        return PostgresLimiter(home, key="benchmark", places=places)
    return HostLimiter(home, places)


class Refusals(hooks.Hooks):
    """When the service refused something."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def on_attempt(self, attempt: hooks.Attempt) -> None:
        """Note the time of a refusal."""
        if attempt.status == 429:
            self.at.append(time.monotonic())


async def work(home: str, url: str, items: int, seed: int) -> dict[str, Any]:
    """Send *items* requests, and return when each was served."""
    chance, refusals = random.Random(seed), Refusals()
    requests = [
        GenerateV3(f"prompt {seed} {number}", num_images=chance.randint(1, MOST_IMAGES))
        for number in range(items)
    ]
    served: list[tuple[float, int]] = []
    async with contextlib.AsyncExitStack() as stack:
        limiter: Gate = Limiter(GUESS)
        if home != SINGLE:
            limiter = await stack.enter_async_context(limiter_at(home, GUESS))
        client = await stack.enter_async_context(
            IdeogramClient("k", base_url=url, limiter=limiter, hooks=refusals)
        )
        limiter.release(await limiter.acquire())  # all begin together, and connected
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        cpu = time.process_time()
        async with client.stream_many(requests) as outcomes:
            async for outcome in outcomes:
                require(hasattr(outcome, "response"), f"{outcome}")
                images = requests[outcome.index].num_images or 1
                served.append((time.monotonic(), images))
        cpu = time.process_time() - cpu
    return {"served": served, "refusals": refusals.at, "cpu": cpu / items}


async def measure(home: str, items: int, latency: float = LATENCY) -> dict[str, Any]:
    """Let the processes share *items* requests, and return the figures."""
    async with Sandbox(limit=LIMIT, latency=latency) as sandbox:
        count = 1 if home == SINGLE else WORKERS
        workers = [
            await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "benchmarks.shared", "--work"),
                json.dumps([home, sandbox.url, items // count, seed]),
                cwd=ROOT,
                env=ENVIRONMENT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=2**22,
            )
            for seed in range(count)
        ]
        for worker in workers:
            await worker.stdout.readline()  # type: ignore[union-attr]
        started = time.monotonic()
        told = await asyncio.gather(*(w.communicate(b"go\n") for w in workers))
        ledger = sandbox.ledger
    reports = [json.loads(out) for out, _ in told]
    return _figures(reports, ledger, started, items)


def _figures(
    reports: list[dict[str, Any]], ledger: Any, started: float, items: int
) -> dict[str, Any]:
    require(len(ledger.charges) == items, f"{len(ledger.charges)} were billed")
    ends = [report["served"][-1][0] for report in reports]
    counts = [
        sum(images for at, images in report["served"] if at <= min(ends))
        for report in reports
    ]
    done = sum(charge.seconds * charge.images for charge in ledger.charges)
    half = (started + max(ends)) / 2
    return {
        "utilisation": rounded(done / (LIMIT * (max(ends) - started))),
        "peak": ledger.most_in_progress,
        "refusals": ledger.refusals,
        "refusals_in_second_half": sum(
            at > half for report in reports for at in report["refusals"]
        ),
        "served": counts,
        "uneven": rounded(max(abs(len(counts) * c / sum(counts) - 1) for c in counts)),
        "cpu_ms_per_item": rounded(1e3 * max(report["cpu"] for report in reports)),
    }


async def costs(limiter: Gate) -> dict[str, float]:
    """Return what it costs to take places where they are free, in microseconds."""
    seconds: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        lease = await limiter.acquire()
        seconds.append(time.perf_counter() - began)
        limiter.release(lease, Verdict.SERVED)
        await asyncio.sleep(0.005)
    cuts = statistics.quantiles(seconds, n=100)
    return {
        "least": rounded(1e6 * min(seconds)),
        "p50": rounded(1e6 * cuts[49]),
        "p99": rounded(1e6 * cuts[98]),
    }


@contextlib.asynccontextmanager
async def homes(kinds: list[str]) -> AsyncGenerator[dict[str, str]]:
    """Give a file, and the address of a database that is made for it."""
    with contextlib.ExitStack() as stack:
        found: dict[str, str] = {}
        if "host" in kinds:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            found["host"] = str(Path(folder) / "limit.db")
        if "postgres" in kinds:
            from tests.postgres import postgres  # noqa: PLC0415  # only where asked

            found["postgres"] = stack.enter_context(postgres()).database()
        yield found


async def run(kinds: list[str], items: int, latency: float) -> None:
    """Print the figures of each kind."""
    cost = {"acquire_us": await costs(Limiter())}
    single = cost | await measure(SINGLE, items, latency)
    print("single", json.dumps(single), flush=True)
    async with homes(kinds) as found:
        for kind, home in found.items():
            async with limiter_at(home) as limiter:
                cost = {"acquire_us": await costs(limiter)}
            figures = cost | await measure(home, items, latency)
            print(kind, json.dumps(figures), flush=True)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="host, postgres")
    parser.add_argument("--items", type=int, default=600)
    parser.add_argument("--latency", type=float, default=LATENCY, metavar="SECONDS")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        print(json.dumps(asyncio.run(work(*json.loads(given.work)))))
        return
    asyncio.run(run(given.kinds or [*KINDS], given.items, given.latency))


if __name__ == "__main__":
    main()
