"""What a job does when its disk, its journal, or the service fails."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Any

import pytest

from ideogram_async import (
    GenerateV3,
    GenerationFailedError,
    JournalError,
    OutcomeUnknownError,
)
from ideogram_async._call import Call, Halt
from ideogram_async._polling import Poller
from ideogram_async.jobs import Job, Progress
from ideogram_async.jobs._budget import Budget
from ideogram_async.jobs._folder import Folder
from ideogram_async.jobs._generations import Generations
from ideogram_async.jobs._items import Item, Terms
from ideogram_async.jobs._run import Run
from ideogram_async.jobs._sender import Sender
from ideogram_async.jobs._sqlite import SqliteJournal

from ..servers import Visit
from .shop import price, selling, shop


CAT = GenerateV3(prompt="a cat")


@pytest.mark.parametrize("instant", ["recall", "save", "answer"])
async def test_a_journal_that_fails(tmp_path: Path, instant: str) -> None:
    """Whenever the journal fails the job ends in good order, and names what is paid."""
    jobs: list[Job] = []

    def spoil(when: str) -> None:
        if when == instant:
            run: Any = jobs[-1]._run
            run._engine.journal._connection.execute("PRAGMA query_only = ON")

    async def shelf(visit: Visit) -> None:
        if len(jobs) == 2:
            spoil("save")
        visit.send(404)

    async def sell(visit: Visit) -> None:
        if visit.seen.method == "POST" and len(jobs) == 2:
            spoil("answer")
        await shop(shelf=shelf)(visit)

    async with selling(sell) as (_, client):
        jobs.append(Job(["a dog"], tmp_path))
        await jobs[0].run(client)
        prompts = [] if instant == "save" else ["a cat"]
        jobs.append(Job(prompts, tmp_path, on_progress=lambda _: spoil("recall")))
        report = await jobs[1].run(client)

    assert isinstance(report.ended, JournalError)
    assert len(report.stranded) == (instant == "answer")
    assert not report.is_complete


async def test_a_manifest_on_a_full_disk(tmp_path: Path) -> None:
    """A manifest that breaks off leaves nothing behind, and the report says so."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    prompts = [f"{number} " + "long " * 2000 for number in range(120)]
    async with selling(shop()) as (_, client):

        def shrink(progress: Progress) -> None:
            if progress.counts["saved"] == 120:
                resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))

        try:
            job = Job(prompts, tmp_path, on_progress=shrink, resumable=False)
            report = await job.run(client)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert report.counts["saved"] == 120
    assert report.manifest is None
    assert [name for name in os.listdir(tmp_path) if "manifest" in name] == []  # noqa: PTH208


async def test_a_generation_that_failed(tmp_path: Path) -> None:
    """A generation that failed is free, and failed for good."""

    class Failing:
        async def send(self, request: object, call: Call) -> None:
            assert call.witness is not None
            await call.witness.sending()
            raise GenerationFailedError("it failed")

    halt, told = Halt(), list[Item]()
    journal = await SqliteJournal.opened(tmp_path / "journal.sqlite", halt.end)
    (item,) = await journal.admit([(0, b"digest", "{}", CAT)], Terms())
    budget = Budget(None, price, allow_unknown_price=False, journal=journal)
    folder = Folder(tmp_path, 1)
    asked: Any = Generations(Failing(), Poller(), journal, halt)  # type: ignore[arg-type]  # all that it asks
    sender = Sender(
        asked, journal, folder, budget, halt, lambda each, _: told.append(each)
    )
    await sender.deliver(item, CAT)
    await journal.aclose()

    assert told == [item]
    assert (item.state, item.cost, journal.spent) == ("failed", 0, 0)


async def test_a_journal_that_fails_with_its_item(tmp_path: Path) -> None:
    """Where not even a failure can be written down, the job ends, and tells both."""
    halt, told = Halt(), list[Item]()
    journal = await SqliteJournal.opened(tmp_path / "journal.sqlite", halt.end)

    class Failing:
        def is_locked_out(self) -> bool:
            return False

        async def send(self, request: object, call: Call) -> None:
            assert call.witness is not None
            await call.witness.sending()
            journal._connection.execute("PRAGMA query_only = ON")
            raise OutcomeUnknownError("perhaps it ran")

    (item,) = await journal.admit([(0, b"digest", "{}", CAT)], Terms())
    budget = Budget(None, price, allow_unknown_price=False, journal=journal)
    folder = Folder(tmp_path, 1)
    asked: Any = Generations(Failing(), Poller(), journal, halt)  # type: ignore[arg-type]  # all that it asks
    await Sender(
        asked, journal, folder, budget, halt, lambda each, _: told.append(each)
    ).deliver(item, CAT)
    await journal.aclose()

    assert told == [item]
    assert isinstance(halt.reason, JournalError)


async def test_a_journal_that_is_a_folder(tmp_path: Path) -> None:
    """A journal that can't be opened is one clear line."""
    async with selling(shop()) as (_, client):
        with pytest.raises(JournalError, match=r"can't write to .*: unable to open"):
            await Job(["a cat"], tmp_path / "out", journal=tmp_path).run(client)


async def test_a_long_plan(tmp_path: Path) -> None:
    """A plan shows the first few requests, and `leave` has nothing to leave yet."""
    prompts = [f"prompt {number}" for number in range(9)]
    async with selling(shop()) as (_, client):
        job = Job(prompts, tmp_path, price=price)
        plan = await job.plan(client)
        Run(job, client).leave()

    assert plan.first == tuple(GenerateV3(prompt=prompt) for prompt in prompts[:5])
    assert str(plan.cost) == "0.27 USD"
