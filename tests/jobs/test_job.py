"""Jobs, from their source to the files they leave, over real sockets."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest

from ideogram_async import (
    ConfigurationError,
    GenerateV3,
)
from ideogram_async.jobs import Job, Progress

from ..servers import PNG, refuse
from .shop import PROMPTS, files, manifest, price, rows, selling, shop, states


async def test_all_is_saved_once(tmp_path: Path) -> None:
    """Every image is on disk, every prompt paid once, and a second run does nothing."""
    async with selling(shop()) as (server, client):
        job = Job(PROMPTS, tmp_path / "out", price=price)
        first = await job.run(client)
        second = await job.run(client)

    assert states(first) == states(second) == {"saved": 12}
    assert (first.images, first.added, second.images, second.added) == (12, 12, 0, 0)
    assert first.is_complete
    assert str(first.spent) == str(second.spent) == "0.36"
    assert (str(first.spent_now), second.spent_now) == ("0.36", 0)
    assert set(server.runs.values()) == {1}
    names = {f"{number:04d}-12345.png" for number in range(12)}
    assert files(tmp_path / "out") == names | {"journal.sqlite", "manifest.jsonl"}
    assert all((tmp_path / "out" / name).read_bytes() == PNG for name in names)
    line = manifest(tmp_path / "out")[3]
    assert line["request"] == {"type": "GenerateV3", "prompt": "prompt 3"}
    assert line["files"] == ["0003-12345.png"]
    assert (line["state"], line["cost"], line["error"]) == ("saved", "0.03", None)
    assert line["response"]["data"][0]["prompt"] == "prompt 3"


async def test_sources(tmp_path: Path) -> None:
    """Rows come from a list, a function, a generator, or an async generator."""

    def drawn() -> Generator[str | GenerateV3]:
        yield "a cat"
        yield GenerateV3(prompt="a dog", seed=5)

    async def trickled() -> AsyncGenerator[str]:
        for prompt in ("a cat", "a fox"):
            yield prompt

    async with selling(shop()) as (server, client):
        for source in (["a cat"], drawn, drawn(), trickled(), trickled):
            report = await Job(source, tmp_path).run(client)
            assert report.is_complete

    assert dict(server.runs) == {"a cat": 1, "a dog": 1, "a fox": 1}


async def test_a_source_that_is_used_up(tmp_path: Path) -> None:
    """A generator serves one run; a text is no list of prompts."""
    async with selling(shop()) as (_, client):
        job = Job(iter(["a cat"]), tmp_path)
        await job.run(client)
        with pytest.raises(ConfigurationError, match="function that returns a fresh"):
            await job.run(client)
        with pytest.raises(TypeError, match="expected a list of prompts, got one"):
            await Job("a cat", tmp_path).run(client)


async def test_equal_rows(tmp_path: Path) -> None:
    """Equal rows are items of their own, unless they are to be left out."""
    async with selling(shop()) as (server, client):
        both = await Job(["a cat", "a cat"], tmp_path / "both").run(client)
        again = await Job(["a cat"] * 3, tmp_path / "both").run(client)
        one = await Job(["a cat", "a cat"], tmp_path / "one", dedupe=True).run(client)

    assert server.runs == {"a cat": 4}
    assert (both.images, again.images, one.images, one.duplicates) == (2, 1, 1, 1)


async def test_equal_rows_within_a_limit(tmp_path: Path) -> None:
    """A row that is left out is not missing when the limit ends the job."""
    async with selling(shop()) as (_, client):
        rows = ["a cat", "a cat", "a dog", "a fox"]
        report = await Job(rows, tmp_path, dedupe=True, limit=3).run(client)

    assert (report.total, report.left) == (2, 0)
    assert report.is_complete


async def test_a_changed_source(tmp_path: Path) -> None:
    """A changed source adds and removes items, and pays nothing again."""
    async with selling(shop()) as (server, client):
        await Job(PROMPTS[:4], tmp_path, limit=3).run(client)
        budget = await Job(PROMPTS[:6], tmp_path, budget="0", price=price).run(client)
        changed = [PROMPTS[9], *PROMPTS[1:5]]
        report = await Job(changed, tmp_path).run(client)

    assert states(budget) == {"saved": 3, "pending": 3}
    assert (report.added, report.removed) == (1, 1)
    assert states(report) == {"saved": 6}
    assert set(server.runs) == {*PROMPTS[:5], PROMPTS[9]}
    assert set(server.runs.values()) == {1}


async def test_bad_rows(tmp_path: Path) -> None:
    """A row that is no request is named, and the others are served."""
    source: list[Any] = ["a cat", ValueError("line 2: no prompt"), "", 7]
    async with selling(shop()) as (_, client):
        report = await Job(source, tmp_path).run(client)

    assert states(report) == {"saved": 1}
    assert report.invalid == 3
    assert [problem.position for problem in report.problems] == [1, 2, 3]
    assert not report.is_complete


async def test_a_source_that_fails(tmp_path: Path) -> None:
    """What a source raises is its end; what came before is served."""

    def broken() -> Generator[str]:
        yield "a cat"
        raise OSError("the disk is gone")

    async with selling(shop()) as (_, client):
        report = await Job(broken, tmp_path).run(client)

    assert states(report) == {"saved": 1}
    assert isinstance(report.ended, OSError)


async def test_many_problems(tmp_path: Path) -> None:
    """Of many problems the first ones are named."""
    async with selling(shop()) as (_, client):
        report = await Job([""] * 60, tmp_path).run(client)

    assert (len(report.problems), report.invalid) == (50, 60)


async def test_progress(tmp_path: Path) -> None:
    """Progress tells the total once it is known, the places, and the money."""
    told: list[Progress] = []
    async with selling(shop(seconds=0.3)) as (_, client):
        job = Job(
            (prompt for prompt in PROMPTS * 10),
            tmp_path,
            price=price,
            budget="99.50",
            on_progress=told.append,
            limit=8,
            concurrency=2,
        )
        await job.run(client)

    assert told[0].total is None
    assert told[0].remaining is None
    assert max(each.in_use for each in told) == 2
    assert {each.limit for each in told} == {4}
    last = told[-1]
    assert (last.ended, last.unit, str(last.budget)) == (8, "USD", "99.5")
    assert str(last.spent) == "0.24"
    assert last.rate > 0


async def test_plan(tmp_path: Path) -> None:
    """A plan tells what would be sent, and its price; it sends and writes nothing."""
    async with selling(shop({"bad": refuse(422)})) as (server, client):
        out = tmp_path / "out"
        job = Job(["a cat", "bad", "a cat", ""], out, dedupe=True, price=price)
        before = await job.plan(client)
        assert not out.exists()
        await job.run(client)
        asked, kept = len(server.requests), rows(out, "*")
        job.requests = ["a cat", "bad", "a dog"]
        after = await job.plan(client)
        assert (len(server.requests), rows(out, "*")) == (asked, kept)
        everything = Job(["a cat", "a dog"], tmp_path / "new", price=price)
        both = await everything.plan(client)

    assert (before.rows, before.sent, before.duplicates) == (4, 2, 1)
    assert before.invalid == 1
    assert (after.rows, after.sent, str(after.cost)) == (3, 1, "0.03 USD")
    assert after.counts["saved"] == 1
    assert after.first == (GenerateV3(prompt="a dog"),)
    assert str(both.cost) == "0.06 USD"


@pytest.mark.parametrize("name", ["limit", "concurrency"])
def test_numbers_out_of_range(tmp_path: Path, name: str) -> None:
    """A number that makes no sense is refused when the job is made."""
    options: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=f"{name} must be 1 or more, got 0"):
        Job([], tmp_path, **options)
