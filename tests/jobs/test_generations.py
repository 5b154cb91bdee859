"""Jobs whose images are made later: submitted, known by id, waited for."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import attrs
import pytest

from ideogram_async import (
    AuthenticationError,
    GenerateV3,
    GenerateV4,
    GenerationFailedError,
    IdeogramClient,
    JournalError,
    JsonPrompt,
    Limiter,
    NotFoundError,
    OutcomeUnknownError,
    UnsupportedRequestError,
)
from ideogram_async.jobs import Job, Report
from ideogram_async.jobs._sqlite import SqliteJournal
from ideogram_async.sandbox import Sandbox

from ..sandbox.test_training import Clock
from ..servers import QUICK as RETRY
from ..servers import until
from ..test_polling import QUICK
from .shop import manifest, rows, states


HOOK = "https://example.com/hook"
PROMPTS = [f"prompt {number}" for number in range(12)]


def later(source: Any, out: Path, **options: Any) -> Job:
    """Return an asynchronous job of small pictures."""
    given = [
        GenerateV4(row, resolution="1024x1024") if isinstance(row, str) else row
        for row in source
    ]
    return Job(given, out, asynchronous=True, webhook_url=HOOK, **options)


@asynccontextmanager
async def studio(**options: Any) -> AsyncGenerator[tuple[Sandbox, IdeogramClient]]:
    """Run a sandbox, and make a client that polls quickly and leaves no place."""
    async with (
        Sandbox(**{"latency": 0.05, "spread": 0.0, **options}) as sandbox,
        IdeogramClient("a key", base_url=sandbox.url, retry=RETRY) as client,
    ):
        client._poller.polling = QUICK
        yield sandbox, client
        assert client.limiter.in_use == client.limiter.waiting == 0


@asynccontextmanager
async def running(job: Job, client: IdeogramClient) -> AsyncGenerator[list[Report]]:
    """Run *job* meanwhile, and put its report into a list."""
    reports: list[Report] = []

    async def run() -> None:
        reports.append(await job.run(client))

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        yield reports


async def left_in_progress(job: Job, client: IdeogramClient, items: int) -> Report:
    """Run *job*, leave it once so many items are submitted, and return its report."""

    def are_submitted() -> bool:
        engine = job._run and job._run._engine
        return bool(engine and engine.journal.counts["submitted"] == items)

    async with running(job, client) as reports:
        await until(are_submitted)
        job.leave()
    return reports[0]


async def test_a_whole_job(tmp_path: Path) -> None:
    """Every row is submitted, waited for and saved; the limit is kept to the place."""
    async with studio(limit=4) as (sandbox, client):
        client.limiter._learnt.limit, client.limiter._learns = 4, False
        job = later([*PROMPTS, "withheld"], tmp_path)
        report = await job.run(client)
        again = await job.run(client)

    assert states(report) == states(again) == {"saved": 12, "withheld": 1}
    assert report.is_complete
    assert str(report.spent) == "0.78"
    assert sandbox.ledger.refusals == 0
    assert sandbox.ledger.most_in_progress <= 4
    assert {charge.operation for charge in sandbox.ledger.charges} == {
        "SubmitGenerateV4"
    }
    line = manifest(tmp_path)[0]
    assert line["request"]["type"] == "GenerateV4"
    assert line["response"]["status"] == "completed"
    assert (line["attempts"], line["files"]) == (
        1,
        [f"0000-{line['response']['data'][0]['seed']}.png"],
    )
    assert rows(tmp_path, "DISTINCT provider") == [("ideogram",)]


async def test_polls_of_a_job_are_steady(tmp_path: Path) -> None:
    """A generation whose place is wanted isn't asked for more and more rarely."""
    async with studio() as (_, client):
        rarer = attrs.evolve(QUICK, factor=1e9, longest=1e9, jitter=0.0)
        client._poller.polling = rarer
        report = await later(["a cat"], tmp_path).run(client)

    assert states(report) == {"saved": 1}


async def test_plain_prompts_and_structures(tmp_path: Path) -> None:
    """A prompt becomes a `GenerateV4`; anything else can't be made later."""
    structure = GenerateV4(json_prompt=JsonPrompt.from_mapping(STRUCTURE))
    wrong: Any = [GenerateV3("a cat"), 7]
    async with studio() as (sandbox, client):
        source = ["a cat", structure, *wrong]
        job = Job(source, tmp_path, asynchronous=True, webhook_url=HOOK)
        plan = await job.plan(client)
        report = await job.run(client)

    assert (plan.sent, str(plan.cost)) == (2, "0.12 USD")
    assert states(report) == {"saved": 2}
    assert report.invalid == 2
    assert "which alone can be made later" in str(report.problems[0].error)
    assert len(sandbox.ledger.charges) == 2


STRUCTURE = {
    "high_level_description": "a cat",
    "style_description": {
        "aesthetics": "calm",
        "lighting": "soft",
        "medium": "photograph",
        "photo": "35 mm",
        "color_palette": ["#112233"],
    },
    "compositional_deconstruction": {"background": "a wall", "elements": []},
}


async def test_what_fails_is_free(tmp_path: Path) -> None:
    """A generation that ends as failed is named, and its money is given back."""
    async with studio() as (sandbox, client):
        report = await later(["failing", "a cat"], tmp_path, budget="0.12").run(client)

    assert states(report) == {"saved": 1, "failed": 1}
    (problem,) = report.problems
    assert isinstance(problem.error, GenerationFailedError)
    assert report.spent == Decimal("0.06")
    assert sandbox.ledger.times_billed == {"a cat": 1}
    assert manifest(tmp_path)[0]["cost"] == "0"


@pytest.mark.parametrize("asynchronous", [True, False])
async def test_generations_of_an_earlier_run(
    tmp_path: Path,
    asynchronous: bool,  # noqa: FBT001  # a parameter of pytest
) -> None:
    """What was in progress when a job ended is waited for, in places of its own."""
    prompts = ["failing", *PROMPTS[:5]]
    async with studio(latency=10, clock=Clock()) as (sandbox, client):
        first = await left_in_progress(later(prompts, tmp_path), client, 6)
        assert client.limiter.in_use == 0
        job = later(prompts, tmp_path) if asynchronous else Job([], tmp_path)
        async with running(job, client) as reports:
            await until(lambda: client.limiter.in_use == 6)
            sandbox.service.clock.now += 11  # type: ignore[attr-defined]  # ours

    (second,) = reports
    assert states(first) == {"submitted": 6}
    assert first.spent == Decimal("0.36")
    assert not first.is_complete
    assert states(second) == {"saved": 5, "failed": 1}
    assert second.spent == Decimal("0.30")
    assert set(sandbox.ledger.times_billed.values()) == {1}
    assert set(rows(tmp_path, "attempts, provider")) == {(1, "ideogram")}
    assert manifest(tmp_path)[0]["error"]["type"] == "GenerationFailedError"


async def test_more_in_progress_than_places(tmp_path: Path) -> None:
    """What finds no free place is in progress all the same, and is waited for."""
    small = Limiter(1, learn=False)
    async with studio(latency=10, clock=Clock()) as (sandbox, client):
        await left_in_progress(later(PROMPTS[:4], tmp_path), client, 4)
        sandbox.service.clock.now += 11  # type: ignore[attr-defined]  # ours
        options: Any = {"base_url": sandbox.url, "limiter": small}
        async with IdeogramClient("a key", **options) as other:
            other._poller.polling = QUICK
            report = await later(PROMPTS[:4], tmp_path).run(other)

    assert states(report) == {"saved": 4}
    assert small.in_use == 0


async def test_a_generation_that_nobody_knows(tmp_path: Path) -> None:
    """Where the service has lost a generation it stays paid, and is unknown."""
    async with studio(latency=10, clock=Clock()) as (sandbox, client):
        await left_in_progress(later(["a cat"], tmp_path), client, 1)
        sandbox.service.generations.clear()
        report = await later(["a cat"], tmp_path).run(client)

    assert states(report) == {"unknown": 1}
    assert isinstance(report.problems[0].error, NotFoundError)
    assert report.spent == Decimal("0.06")


async def test_a_key_that_is_refused_meanwhile(tmp_path: Path) -> None:
    """What can't be asked for now is asked for by the next run."""
    async with studio(latency=10, clock=Clock()) as (sandbox, client):
        await left_in_progress(later(["a cat"], tmp_path), client, 1)
        sandbox.service.clock.now += 11  # type: ignore[attr-defined]  # ours
        sandbox._api_key = "another key"
        first = await later(["a cat"], tmp_path).run(client)
        sandbox._api_key = None
        second = await later(["a cat"], tmp_path).run(client)

    assert states(first) == {"submitted": 1}
    assert isinstance(first.problems[0].error, AuthenticationError)
    assert states(second) == {"saved": 1}
    assert sandbox.ledger.times_billed == {"a cat": 1}


async def test_an_answer_that_is_lost(tmp_path: Path) -> None:
    """Where the answer to a submission is lost, nobody knows the id: it is unknown."""
    async with studio(faults={"reset": 1.0}) as (sandbox, client):
        report = await later(["a cat"], tmp_path).run(client)
        sandbox.faults.rates = {}
        again = await later(["a cat"], tmp_path, resend_unknown=True).run(client)

    assert states(report) == {"unknown": 1}
    assert isinstance(report.problems[0].error, OutcomeUnknownError)
    assert states(again) == {"saved": 1}
    assert str(again.spent) == "0.12"


async def test_an_answer_that_can_not_be_read(tmp_path: Path) -> None:
    """Where no id can be read from the answer, its place is given back."""
    async with studio(faults={"garble": 1.0}) as (_, client):
        report = await later(["a cat"], tmp_path).run(client)

    assert states(report) == {"unknown": 1}


async def test_a_journal_that_can_not_take_the_id(tmp_path: Path) -> None:
    """Where the id can't be written the job ends; what is paid is in the report."""
    async with studio() as (sandbox, client):
        job = later(["a cat"], tmp_path)

        def spoil(_: object) -> None:
            run: Any = job._run
            run._engine.journal._writer._connection.execute("PRAGMA query_only = ON")

        sandbox.service.announce = spoil
        report = await job.run(client)

    assert isinstance(report.ended, JournalError)
    (answer,) = report.stranded
    assert answer["response"]["status"] == "completed"


@pytest.mark.parametrize("name", ["left", "reread"])
async def test_a_journal_that_can_not_be_read(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the journal can't tell what an earlier run left, the job ends."""
    real = getattr(SqliteJournal, name)

    async def broken(journal: SqliteJournal, of: object) -> Any:
        if of in {"submitted", 1}:
            raise JournalError("can't be read")
        return await real(journal, of)

    async with studio(latency=10, clock=Clock()) as (_, client):
        await left_in_progress(later(["a cat"], tmp_path), client, 1)
        monkeypatch.setattr(SqliteJournal, name, broken)
        report = await later(["a cat"], tmp_path).run(client)

    assert isinstance(report.ended, JournalError)
    assert states(report) == {"submitted": 1}


def test_what_a_job_needs(tmp_path: Path) -> None:
    """The service demands an https address for webhooks; other jobs have none."""
    wrong: list[dict[str, Any]] = [
        {"asynchronous": True},
        {"webhook_url": HOOK},
        {"asynchronous": True, "webhook_url": "http://example.com/hook"},
    ]
    for options in wrong:
        with pytest.raises(ValueError, match="webhook"):
            Job(["a cat"], tmp_path, **options)


async def test_gateways_make_nothing_later(tmp_path: Path) -> None:
    """Where no provider takes generations the job is refused as a whole."""
    async with IdeogramClient("a key", provider="kkiai") as client:
        for act in (Job.run, Job.plan):
            with pytest.raises(UnsupportedRequestError, match="taken by ideogram"):
                await act(later(["a cat"], tmp_path / "out"), client)

    assert not (tmp_path / "out").exists()


async def test_a_webhook_that_is_refused(tmp_path: Path) -> None:
    """An address that the service doesn't call fails the rows, and costs nothing."""
    hook = "https://localhost/hook"
    async with studio() as (sandbox, client):
        job = Job(["a cat"], tmp_path, asynchronous=True, webhook_url=hook)
        report = await job.run(client)

    assert states(report) == {"failed": 1}
    assert sandbox.ledger.charges == []


async def test_a_journal_of_the_first_version(tmp_path: Path) -> None:
    """A journal of version 1 is taken over, and by a plan left as it is."""
    async with studio() as (sandbox, client):
        await later(["a cat"], tmp_path).run(client)
        path = tmp_path / "journal.sqlite"
        with closing(sqlite3.connect(path)) as journal:
            journal.execute("ALTER TABLE items DROP COLUMN price")
            journal.execute("PRAGMA user_version = 1")
        job = later(["a cat", "a dog"], tmp_path)
        plan = await job.plan(client)
        with closing(sqlite3.connect(path)) as journal:
            assert journal.execute("PRAGMA user_version").fetchone() == (1,)
        report = await job.run(client)
        with closing(sqlite3.connect(path)) as journal:
            assert journal.execute("PRAGMA user_version").fetchone() == (2,)

    assert plan.sent == 1
    assert states(report) == {"saved": 2}
    assert sandbox.ledger.times_billed == {"a cat": 1, "a dog": 1}
