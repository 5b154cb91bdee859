"""Kills a job at random instants, goes on each time, and checks what is left.

The service is a sandbox in this process; the job runs in processes of its own, which
get SIGKILL. `python tests/jobs/kill.py --items 500 --kills 200` is the whole of it, and
with `--async` the same of a job whose images are made later: what it has submitted is
waited for, so only what was just being submitted at a kill is unknown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
from PIL import Image

from ideogram_async import Cost, GenerateV3, GenerateV4, IdeogramClient, RetryPolicy
from ideogram_async._polling import Polling
from ideogram_async.jobs import Job
from ideogram_async.sandbox import Sandbox


PRICE = Cost(Decimal("0.03"), "USD")
OURS = {"journal.sqlite", "manifest.jsonl"}


def requests(items: int, *, later: bool) -> list[GenerateV3] | list[GenerateV4]:
    """Return small requests, each with a prompt of its own."""
    if later:
        return [
            GenerateV4(f"prompt {number}", resolution="1024x1024")
            for number in range(items)
        ]
    return [
        GenerateV3(prompt=f"prompt {number}", resolution="1536x512", num_images=1)
        for number in range(items)
    ]


def price(_: object) -> Cost:
    """Return the same price for every request."""
    return PRICE


async def work(
    url: str, out: Path, items: int, *, later: bool = False, **options: Any
) -> None:
    """Run the job to its end, unless the process is killed."""
    if later:
        options |= {"asynchronous": True, "webhook_url": "https://example.com/hook"}
    source = requests(items, later=later)
    job = Job(source, out, price=price, concurrency=4, **options)
    retry = RetryPolicy(attempts=2, wait_initial=0.01, wait_max=0.02)
    async with IdeogramClient("a key", base_url=url, retry=retry, timeout=5) as client:
        client._poller.polling = Polling(initial=0.01, longest=0.02, spacing=0.0)
        await job.run(client)


@attrs.frozen
class Remains:
    """What a killed and finished job has left.

    Attributes:
        states: The state of each prompt.
        files: The files of each prompt.
        cost: Money spent, in billionths.
    """

    states: dict[str, str]
    files: dict[str, list[str]]
    cost: int

    @classmethod
    def of(cls, out: Path) -> Remains:
        """Read the journal in *out*."""
        with closing(sqlite3.connect(out / "journal.sqlite")) as journal:
            rows = journal.execute("SELECT request, state, files, cost FROM items")
            found = [(_prompt(json.loads(row[0])), *row[1:]) for row in rows]
        return cls(
            {prompt: state for prompt, state, _, _ in found},
            {prompt: json.loads(files or "[]") for prompt, _, files, _ in found},
            sum(row[3] for row in found),
        )


def _prompt(asked: dict[str, Any]) -> str:
    return str(asked.get("prompt") or asked["text_prompt"])


def kill_at_random(command: list[str], chance: random.Random) -> bool:
    """Run the job, and kill it; return whether it was still at work."""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as job:
        assert job.stdout is not None
        job.stdout.readline()  # it is about to open the journal
        time.sleep(chance.uniform(0, 0.35))
        is_at_work = job.poll() is None
        job.kill()
    return is_at_work


def check(out: Path, sandbox: Sandbox, items: int) -> Counter[str]:
    """See that nothing paid is lost, nothing is paid twice, and nothing else left."""
    remains, billed = Remains.of(out), sandbox.ledger.times_billed
    assert len(remains.states) == items
    assert max(billed.values()) == 1, "a prompt was paid twice"
    assert set(remains.states.values()) <= {"saved", "unknown"}
    for prompt, state in remains.states.items():
        if state == "saved":
            (name,) = remains.files[prompt]
            assert billed[prompt] == 1
            with Image.open(out / name) as picture:
                picture.load()
    saved = {n for prompt, s in remains.states.items() if s == "saved"
             for n in remains.files[prompt]}  # fmt: skip
    assert {path.name for path in out.iterdir()} == saved | OURS
    manifest = (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(list(map(json.loads, manifest))) == items
    assert remains.cost == items * 30_000_000
    return Counter(remains.states.values())


def run(
    out: Path, items: int, kills: int, *, later: bool = False, **sandbox_options: Any
) -> Counter[str]:
    """Kill the job so often, finish it, and return the number of items per state."""
    chance = random.Random(7)
    at_work = 0
    with Sandbox(**sandbox_options).running() as sandbox:
        command = [sys.executable, __file__, "--url", sandbox.url, "--out", str(out)]
        command += ["--items", str(items), *(["--async"] if later else [])]
        for _ in range(kills):
            at_work += kill_at_random(command, chance)
        asyncio.run(work(sandbox.url, out, items, later=later))
        states = check(out, sandbox, items)
        asyncio.run(work(sandbox.url, out, items, later=later, resend_unknown=True))
        assert set(Remains.of(out).states.values()) == {"saved"}
    states["killed at work"] = at_work
    return states


def main() -> None:
    """Kill as the arguments say, or be the job that is killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--async", dest="later", action="store_true")
    parser.add_argument("--url")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.url:
        sys.stdout.write("begun\n")
        sys.stdout.flush()
        asyncio.run(work(given.url, given.out, given.items, later=given.later))
        return
    with tempfile.TemporaryDirectory() as folder:
        out = given.out or Path(folder) / "out"
        latency = 0.05 if given.later else 0.01
        states = run(out, given.items, given.kills, later=given.later, latency=latency)
        sys.stdout.write(f"{dict(states)}\n")


if __name__ == "__main__":
    main()
