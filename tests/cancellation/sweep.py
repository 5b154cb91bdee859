"""Cancels each call at each of its steps, and sees what is left behind.

`python -m tests.cancellation`, which `nox -s cancellation` does, is the whole of it.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any, Final

import attrs

from ideogram_async import GenerateV3, HostLimiter, IdeogramClient, Limiter, RetryPolicy
from ideogram_async._polling import Polling
from ideogram_async.providers import Ideogram

from ..servers import closed_port
from ..soak.accounts import Accounts, gathered, wrong
from ..soak.service import running
from ..soak.traffic import PHOTO
from .scenarios import SCENARIOS, Trial
from .steps import WAYS, CountingLoop


LATENCY: Final = 0.004
PATIENCE: Final = 10.0
"""Seconds after which what has not ended is said to be left."""
MOST_THREADS: Final = 12
"""How many threads a call may leave to the next: idle ones, which are used again."""
QUICK: Final = RetryPolicy(attempts=3, wait_initial=0.002, wait_max=0.002)


@attrs.define
class Sweep:
    """Many cancelled calls of one process.

    Attributes:
        url: The service.
        out: A folder.
        accounts: What clients say of their requests.
        problems: What must not be.
        cancelled: How many calls were cancelled, by scenario and way.
        counted: What all clients together count as unknown.
    """

    url: str
    out: Path
    accounts: Accounts
    problems: list[str] = attrs.field(factory=list[str])
    cancelled: Counter[tuple[str, str]] = attrs.field(factory=Counter[tuple[str, str]])
    unknown: int = 0
    link: str = ""

    def client(self, **options: Any) -> IdeogramClient:
        """Make a client."""
        given: dict[str, Any] = {"retry": QUICK, "hooks": self.accounts} | options
        client = IdeogramClient(**given)
        client._poller.polling = Polling(initial=0.003, longest=0.003, spacing=0.0)
        return client

    async def one(self, scenario: str, way: str, at: int) -> bool:
        """Cancel one call; return whether it came as far as step *at*."""
        name = f"{scenario} {way} {at}"
        baseline, files = asyncio.all_tasks(), _files()
        out = self.out / name.replace(" ", "-")
        out.mkdir()
        (out / "photo.png").write_bytes(PHOTO)
        limiter = Limiter(3, learn=False)
        one = self.client(api_key="a key", base_url=self.url, limiter=limiter)
        there = (Ideogram("first key", f"http://127.0.0.1:{closed_port()}"),
                 Ideogram("second key", self.url))  # fmt: skip
        two = self.client(provider=there)
        shared = HostLimiter(out / "limits" / "ideogram.db", 2)
        many = self.client(api_key="a key", base_url=self.url, limiter=shared)
        clients = (one, two, many)
        trial = Trial(*clients, self.accounts, out, self.link, name)
        try:
            came = await WAYS[way](SCENARIOS[scenario](trial), at)
            await self._check(trial)
        except Exception as error:  # noqa: BLE001  # told at the end
            self.problems.append(f"{name}: {error!r:.300}")
            came = False
        for prompt in trial.prompts:
            if prompt not in trial.told:
                self.accounts.tell(prompt, "cancelled")
        await shared.aclose()
        if "share" in scenario:
            await self._all_free(name, out)
        await self._left_behind(name, out, baseline, files, clients)
        self.cancelled[scenario, way] += came
        return came

    async def _check(self, trial: Trial) -> None:
        """See that the clients work as if nothing had been."""
        clients = [trial.client, trial.failing_over]
        clients += [trial.sharing] * ("share" in trial.name)
        for client in clients:
            answer = await client.send(trial.image("after"))
            assert answer.data[0].url
        path = await trial.client.download(answer.data[0], trial.out / "after.png")
        path.unlink()

    async def _all_free(self, name: str, out: Path) -> None:
        """See that others find all places of the shared limit free."""
        async with HostLimiter(out / "limits" / "ideogram.db", 2) as other:
            try:
                async with asyncio.timeout(PATIENCE):
                    other.release(await other.acquire(2))
            except TimeoutError:
                self.problems.append(f"{name}: {other!r} for others")

    async def _left_behind(
        self,
        name: str,
        out: Path,
        tasks: set[asyncio.Task[Any]],
        files: Counter[str],
        clients: Iterable[IdeogramClient],
    ) -> None:
        found = ""
        for client in clients:
            await client.aclose()
            self.unknown += client.stats().unknown
        ends_at = time.monotonic() + PATIENCE
        while time.monotonic() < ends_at:
            found = _left(out, tasks, files, clients)
            if not found:
                return
            await asyncio.sleep(0.002)
            gc.collect()
        self.problems.append(f"{name}: {found}")


def _left(
    out: Path,
    tasks: set[asyncio.Task[Any]],
    files: Counter[str],
    clients: Iterable[IdeogramClient],
) -> str:
    """Return what is left of a call."""
    held = [(c.limiter.in_use, c.limiter.waiting) for c in clients]
    held += [(c._downloader.limiter.in_use, 0) for c in clients]
    if any(map(any, held)):
        return f"places are held: {held}"
    if left := asyncio.all_tasks() - tasks:
        return f"tasks are left: {left}"
    if opened := _files() - files:
        return f"files are open: {opened}"
    parts = [each.name for each in out.rglob(".*")]
    if parts:
        return f"files are left: {parts}"
    threads = [each.name for each in threading.enumerate()]
    return f"threads are left: {threads}" if len(threads) > MOST_THREADS else ""


def _files() -> Counter[str]:
    found = Counter[str]()
    for number in Path("/proc/self/fd").iterdir():
        try:
            found[f"{number} {number.readlink()}"] += 1
        except OSError:  # the folder itself
            continue
    return found


async def swept(sweep: Sweep, cases: Iterable[tuple[str, str]], factor: int) -> None:
    """Cancel scenarios in ways, at the steps that `cancel_all` tells."""
    asyncio.get_running_loop().set_exception_handler(
        lambda _, told: sweep.problems.append(f"the loop was told: {told}")
    )
    async with sweep.client(api_key="a key", base_url=sweep.url) as client:
        prompt = "the link"
        request = GenerateV3(prompt)
        sweep.accounts.asked(prompt, client.estimate(request).amount)
        sweep.link = (await client.send(request)).data[0].url or ""
        sweep.accounts.tell(prompt, "answered")
    await asyncio.sleep(0.01)
    for scenario, way in cases:
        at = 1
        while await sweep.one(scenario, way, at):
            at = max(at + 1, at * factor)
        say(f"{scenario} {way}: {sweep.cancelled[scenario, way]}")


def cancel_all(
    cases: Iterable[tuple[str, str]], factor: int = 1
) -> tuple[list[str], int]:
    """Sweep, and return what went wrong, and how many calls were cancelled.

    Args:
        cases: Scenarios, and the ways in which they are cancelled.
        factor: From one step to the next at which they are; every step if 1.
    """
    service = running("--plain", "--latency", str(LATENCY))
    with tempfile.TemporaryDirectory() as folder, service as (url, charges):
        sweep = Sweep(url, Path(folder), Accounts(Path(folder) / "accounts"))
        with asyncio.Runner(loop_factory=CountingLoop) as runner:
            runner.run(swept(sweep, cases, factor))
        found = gathered(sweep.accounts, charges())
    if sweep.accounts.under_way or sweep.accounts.attempts:
        sweep.problems.append("hooks were told of a beginning without an end")
    problems = [said for each in found.items() if (said := wrong(*each))]
    unknown = [each for each in found.values() if each.is_unknown]
    if len(unknown) != sweep.unknown:
        problems.append(f"{len(unknown)} unknown by the hooks, {sweep.unknown} counted")
    ran = sum(bool(each.billed) for each in unknown)
    cancelled = sweep.cancelled.total()
    say(f"{cancelled} calls cancelled, {len(found)} prompts, {len(unknown)} unknown,")
    say(f"of which {ran} were billed; {len(problems + sweep.problems)} problems")
    return sweep.problems + problems, cancelled


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Sweep as the arguments say."""
    parser = argparse.ArgumentParser(prog="python -m tests.cancellation")
    parser.add_argument("--scenario", nargs="*", default=[*SCENARIOS])
    parser.add_argument("--way", nargs="*", default=[*WAYS])
    parser.add_argument("--factor", type=int, default=1)
    given = parser.parse_args()
    problems, _ = cancel_all(product(given.scenario, given.way), given.factor)
    for problem in problems[:40]:
        say(problem)
    return 1 if problems else 0
