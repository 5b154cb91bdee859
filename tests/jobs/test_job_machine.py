"""A job that is run, stopped, left, cancelled and killed at random, and run again."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import tempfile
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ideogram_async.jobs import Job

from ..servers import Act, Visit, fail, hang_up, refuse, reply, reset_during_body
from .shop import price, selling, shop


EXAMPLES: Final = int(os.environ.get("EXAMPLES", "4"))
"""How many machines; more of them are asked for by hand."""
MOVES: Final[dict[str, set[str]]] = {
    "pending": {"pending", "answered", "saved", "failed", "unknown"},
    "sent": {"unknown"},
    "answered": {"answered", "saved"},
    "saved": {"saved"},
    "failed": {"failed"},
    "unknown": {"unknown"},
}
"""What a run may make of what it found; nothing goes back."""
PAID: Final = {"sent", "answered", "saved", "unknown"}
"""What tells that something may be billed."""
ACTS: Final[dict[str, Act]] = {
    "refused": refuse(422, b'{"error": "no"}'),
    "throttled": refuse(429, b'{"error": "in flight"}'),
    "cut": reply(b'{"created'),
    "lost": hang_up,
    "reset": reset_during_body,
    "broken": fail(500),
}


class JobMachine(RuleBasedStateMachine):
    """Runs one job again and again; what ends a run comes at a random turn."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.number = 0
        self.prompts: list[str] = []
        self.states: dict[str, str] = {}
        self.acts: dict[str, Act] = {}
        self.is_killing = False
        self.stack = AsyncExitStack()
        selling_alive = selling(self._unless_killing(shop(self.acts)))
        opened = self.stack.enter_async_context(selling_alive)
        self.server, self.client = self.loop.run_until_complete(opened)

    @property
    def out(self) -> Path:
        """The folder of the job."""
        return self.folder / str(self.number)

    @rule(fates=st.lists(st.sampled_from(["fine", *ACTS]), min_size=1, max_size=3))
    def add(self, fates: list[str]) -> None:
        """Add rows, of which some will meet a fault, once or for ever."""
        for fate in fates:
            prompt = f"{len(self.prompts)} {fate}"
            self.prompts.append(prompt)
            if fate == "throttled":
                self.acts[prompt] = self._once(prompt, ACTS[fate])
            elif fate != "fine":
                self.acts[prompt] = ACTS[fate]

    @rule(
        turns=st.integers(0, 250),
        end=st.sampled_from(["stop", "leave", "cancel", "kill", "kill", None]),
    )
    def run(self, turns: int, end: str | None) -> None:
        """Run the job; *end* it after so many turns of the event loop."""
        self.loop.run_until_complete(self._run(turns, end))
        self.look()

    def look(self) -> None:
        """See what the journal says now."""
        path = self.out / "journal.sqlite"
        if not path.exists():
            return
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.out, copy)
        with closing(sqlite3.connect(copy / "journal.sqlite")) as journal:
            rows = journal.execute("SELECT position, state FROM items").fetchall()
        found = {self.prompts[position]: state for position, state in rows}
        for prompt, state in found.items():
            before = self.states.get(prompt, "pending")
            assert state in MOVES[before] | {"sent"}, f"{prompt}: {before} -> {state}"
            assert before == "pending" or state != "sent" or before == "sent"
        missing = {p for p in self.states if self.states[p] != "pending"} - set(found)
        assert not missing, "what was sent is forgotten"
        self.states = found

    @invariant()
    def money_is_safe(self) -> None:
        """Nothing is billed twice, and what is billed is told."""
        for prompt, times in self.server.runs.items():
            assert times == 1
            assert self.states[prompt] in PAID, f"{prompt} is {self.states[prompt]}"
        saved = sum(state == "saved" for state in self.states.values())
        if self.out.exists():
            assert len([*self.out.glob("*.png")]) >= saved

    def teardown(self) -> None:
        """Let the job end; what is left is saved, failed or unknown."""
        if self.prompts:
            self.loop.run_until_complete(self._run(0, None))
            self.look()
            self.money_is_safe()
            ends = {"saved", "failed", "unknown"}
            left = set(self.states.values())
            assert left <= ends, left
            parts = [*self.out.glob(".*.part")]
            assert not parts
            for prompt, state in self.states.items():
                assert state != "unknown" or "fine" not in prompt or self.killed
        self.loop.run_until_complete(self.stack.aclose())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self.folder)

    killed = False

    async def _run(self, turns: int, end: str | None) -> None:
        job = Job(list(self.prompts), self.out, price=price)
        run = asyncio.create_task(job.run(self.client))
        if end is not None:
            for _ in range(turns):
                await asyncio.sleep(random.choice((0, 0, 0, 0.0005)))
                if run.done():
                    break
        if end == "kill":
            self.killed = True
            await self._killed(job)
        elif end == "stop":
            job.stop()
        elif end == "leave":
            self.killed = True
            job.leave()
        elif end == "cancel":
            run.cancel()
        await asyncio.wait([run])
        await asyncio.sleep(0.01 * self.is_killing)  # for what is in the sockets
        self.is_killing = False
        with suppress(asyncio.CancelledError):
            report = await run
            if end != "kill":
                told = sum(report.counts[state] for state in report.counts)
                assert told <= len(self.prompts)

    async def _killed(self, job: Job) -> None:
        """Go on with the files as they are at this instant; nothing leaves later."""
        old = self.out
        if old.exists():
            for at in range(3):
                try:
                    shutil.copytree(old, self.folder / f"{self.number + 1}")
                except (shutil.Error, OSError):  # a file was renamed meanwhile
                    shutil.rmtree(self.folder / f"{self.number + 1}")
                    await asyncio.sleep(0.001 * at)
                else:
                    self.number += 1
                    break
        self.is_killing = True
        job.leave()

    def _unless_killing(self, act: Act) -> Act:
        async def alive(visit: Visit) -> None:
            if self.is_killing:
                visit.reset()
            else:
                await act(visit)

        return alive

    def _once(self, prompt: str, act: Act) -> Act:
        async def once(visit: Visit) -> None:
            del self.acts[prompt]
            await act(visit)

        return once


JobMachine.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=8, deadline=None
)


class TestJobMachine(JobMachine.TestCase):
    """Whatever happens to the runs of a job, nothing is paid twice, or forgotten."""
