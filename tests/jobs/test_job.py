"""Jobs, from their source to the files they leave, over real sockets."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import anyio
import pytest

from ideogram_async import (
    AuthenticationError,
    ConfigurationError,
    DownloadError,
    GenerateV3,
    JournalError,
    NotSentError,
    OutcomeUnknownError,
    SafetyError,
)
from ideogram_async.jobs import Job, Progress, Report

from ..servers import PNG, Visit, fail, hang_up, refuse, reply, silence, until
from .shop import manifest, price, rows, selling, shop


PROMPTS = [f"prompt {number}" for number in range(12)]


def files(out: Path) -> set[str]:
    """Return the names of what is in *out*."""
    return {path.name for path in out.iterdir()}


def states(report: Report) -> dict[str, int]:
    """Return the counts that aren't 0."""
    return {state: number for state, number in report.counts.items() if number}


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


async def test_what_is_refused_for_good(tmp_path: Path) -> None:
    """A refused item is named, and sent again only if that is asked for."""
    acts = {"bad": refuse(422, b'{"error": "no"}')}
    async with selling(shop(acts)) as (server, client):
        job = Job(["bad", "good"], tmp_path, price=price)
        first = await job.run(client)
        asked = len(server.requests)
        second = await job.run(client)
        assert len(server.requests) == asked
        del acts["bad"]
        job.retry_failed = True
        third = await job.run(client)

    assert states(first) == states(second) == {"saved": 1, "failed": 1}
    (problem,) = first.problems
    assert isinstance(problem.error, SafetyError)
    assert (problem.position, problem.state) == (0, "failed")
    assert problem.request == {"type": "GenerateV3", "prompt": "bad"}
    assert str(first.spent) == "0.03"
    assert states(third) == {"saved": 2}
    assert manifest(tmp_path)[0]["error"] is None


async def test_what_may_have_run(tmp_path: Path) -> None:
    """What may be billed is unknown, counts as spent, and isn't sent again unasked."""
    acts = {"lost": hang_up, "oops": fail(500), "cut": reply(b'{"created')}
    async with selling(shop(acts)) as (server, client):
        job = Job(["lost", "oops", "cut", "good"], tmp_path, price=price)
        first = await job.run(client)
        second = await job.run(client)
        assert set(server.runs.values()) == {1}
        acts.clear()
        job.resend_unknown = True
        third = await job.run(client)

    assert states(first) == states(second) == {"saved": 1, "unknown": 3}
    assert str(first.spent) == "0.12"
    assert second.problems == ()
    kinds = {problem.request["prompt"]: problem.error for problem in first.problems}  # type: ignore[index]  # all were requests
    assert isinstance(kinds["lost"], OutcomeUnknownError)
    assert states(third) == {"saved": 4}
    assert str(third.spent) == "0.21"


async def test_a_body_that_is_paid_and_unreadable(tmp_path: Path) -> None:
    """The body of an answer that can't be read is kept in the manifest."""
    async with selling(shop({"cut": reply(b"\xff{")})) as (_, client):
        await Job(["cut"], tmp_path).run(client)

    line = manifest(tmp_path)[0]
    assert (line["state"], line["cost"]) == ("unknown", "0.06")
    assert line["error"]["type"] == "DecodeError"
    assert line["error"]["body"] == "\ufffd{"


async def test_refusals_go_back(tmp_path: Path) -> None:
    """After a 429 an item is pending again, and then served."""
    full = refuse(429)
    async with selling(full, full, shop()) as (server, client):
        report = await Job(["a cat"], tmp_path).run(client)

    assert report.is_complete
    assert server.runs == {"a cat": 1}
    assert rows(tmp_path, "attempts") == [(3,)]


async def test_a_key_that_is_wrong(tmp_path: Path) -> None:
    """A refused key ends the job; nothing is marked as failed, and it can go on."""
    refused = refuse(401)
    async with selling(refused, refused, refused, refused, shop()) as (server, client):
        job = Job(PROMPTS, tmp_path)
        first = await job.run(client)
        second = await job.run(client)

    assert isinstance(first.ended, AuthenticationError)
    assert states(first) == {"pending": 12}
    assert not first.is_complete
    assert first.left == 12
    assert second.is_complete
    assert server.ran == 12


async def test_only_the_download_is_repeated(tmp_path: Path) -> None:
    """An answer whose image could not be had yet is only downloaded the next time."""
    down = [True]

    async def shelf(visit: Visit) -> None:
        visit.send(404 if down[0] else 200, b"" if down[0] else PNG)

    async with selling(shop(shelf=shelf)) as (server, client):
        job = Job(["a cat"], tmp_path)
        first = await job.run(client)
        (tmp_path / ".0000-12345.png.0123abcd.part").write_bytes(b"half")
        (tmp_path / ".another.png.0123abcd.part").write_bytes(b"not ours")
        down[0] = False
        second = await job.run(client)

    assert states(first) == {"answered": 1}
    assert isinstance(first.problems[0].error, DownloadError)
    assert states(second) == {"saved": 1}
    assert server.ran == 1
    assert files(tmp_path) == {
        ".another.png.0123abcd.part",
        "0000-12345.png",
        "journal.sqlite",
        "manifest.jsonl",
    }


async def test_a_link_that_has_expired(tmp_path: Path) -> None:
    """An expired link is named as such, and fails its item; the money stays spent."""
    link = "http://127.0.0.1:1/x.png?exp=1000000000"
    async with selling(shop(url=link)) as (_, client):
        report = await Job(["a cat"], tmp_path, price=price).run(client)

    assert states(report) == {"failed": 1}
    assert "the link expired at 2001-09-09" in str(report.problems[0].error)
    assert str(report.spent) == "0.03"
    assert manifest(tmp_path)[0]["files"] == [None]


async def test_what_is_withheld(tmp_path: Path) -> None:
    """An image that wasn't released is counted, and its item is done."""
    async with selling(shop(is_image_safe=False)) as (_, client):
        report = await Job(["a cat"], tmp_path).run(client)

    assert states(report) == {"withheld": 1}
    assert (report.withheld, report.images) == (1, 0)
    assert report.is_complete


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


async def test_stop_saves_what_is_under_way(tmp_path: Path) -> None:
    """After `stop` nothing new leaves, and what is under way is saved."""
    async with selling(shop(seconds=0.2)) as (server, client):
        job = Job(PROMPTS, tmp_path, on_progress=lambda _: None)

        async def stop() -> None:
            await until(lambda: server.in_progress == 4)
            job.stop("enough")

        async with anyio.create_task_group() as group:
            group.start_soon(stop)
            report = await job.run(client)

    assert states(report) == {"saved": 4, "pending": 8}
    assert isinstance(report.ended, NotSentError)
    assert str(report.ended) == "enough"
    assert server.ran == 4


async def test_stop_ends_a_source_that_waits(tmp_path: Path) -> None:
    """`stop` also ends an async source that never gives the next row."""

    async def slow() -> AsyncGenerator[str]:
        yield "a cat"
        await anyio.sleep_forever()

    async with selling(shop()) as (server, client):
        job = Job(slow, tmp_path)

        async def stop() -> None:
            await until(lambda: server.ran)
            job.stop()

        async with anyio.create_task_group() as group:
            group.start_soon(stop)
            report = await job.run(client)

    assert states(report) == {"saved": 1}


async def test_leave_drops_everything(tmp_path: Path) -> None:
    """After `leave` the run ends at once; what was under way is unknown."""
    async with selling(silence) as (server, client):
        job = Job(PROMPTS, tmp_path)
        job.leave()
        job.stop()

        async def leave() -> None:
            await until(lambda: server.in_progress == 4 or server.ran == 4)
            job.leave()

        with anyio.fail_after(3):
            async with anyio.create_task_group() as group:
                group.start_soon(leave)
                report = await job.run(client)

    assert report.counts["unknown"] == 4
    assert report.counts["pending"] == 8
    assert not report.is_complete


async def test_a_cancelled_run_waits_for_what_is_paid(tmp_path: Path) -> None:
    """Cancelling lets nothing new out; answers under way are written down."""
    async with selling(shop(seconds=0.3)) as (server, client):
        job = Job(PROMPTS, tmp_path)
        run = asyncio.create_task(job.run(client))
        await until(lambda: server.in_progress == 4)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert server.ran == 4
        told = {row[0] for row in rows(tmp_path, "state")}
        assert told <= {"answered", "saved", "pending"}
        report = await job.run(client)

    assert report.is_complete
    assert set(server.runs.values()) == {1}


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


async def test_without_a_journal(tmp_path: Path) -> None:
    """Without a journal nothing is known of earlier runs, and none is left."""
    async with selling(shop()) as (server, client):
        for _ in range(2):
            await Job(["a cat"], tmp_path, resumable=False).run(client)

    assert server.runs == {"a cat": 2}
    assert files(tmp_path) == {
        "0000-12345.png",
        "0000-12345-2.png",
        "manifest.jsonl",
        "manifest.1.jsonl",
    }


async def test_begin_anew(tmp_path: Path) -> None:
    """Without resuming, all is paid again, and what an earlier run left is kept."""
    async with selling(shop()) as (server, client):
        for _ in range(3):
            await Job(["a cat"], tmp_path, resume=False).run(client)

    assert server.runs == {"a cat": 3}
    assert files(tmp_path) == {
        *("0000-12345.png", "0000-12345-2.png", "0000-12345-3.png"),
        *("journal.sqlite", "journal.1.sqlite", "journal.2.sqlite"),
        *("manifest.jsonl", "manifest.1.jsonl", "manifest.2.jsonl"),
    }


@pytest.mark.parametrize("name", ["limit", "concurrency"])
def test_numbers_out_of_range(tmp_path: Path, name: str) -> None:
    """A number that makes no sense is refused when the job is made."""
    options: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=f"{name} must be 1 or more, got 0"):
        Job([], tmp_path, **options)


async def test_the_folder_is_removed_meanwhile(tmp_path: Path) -> None:
    """When the folder vanishes the job stops, and writes the journal anew."""
    out = tmp_path / "out"
    async with selling(shop(seconds=0.3)) as (server, client):

        def remove(_: Progress) -> None:
            if server.in_progress and not removed:
                removed.append(True)
                shutil.rmtree(out)

        removed: list[bool] = []
        job = Job(PROMPTS * 4, out, on_progress=remove)
        first = await job.run(client)
        second = await job.run(client)

    assert isinstance(first.ended, JournalError)
    assert "journal.sqlite was removed while in use" in str(first.ended)
    assert 0 < first.counts["saved"] < 48
    assert second.counts["saved"] == 48
    assert server.ran == 48
    assert len(files(out)) == 50


async def test_the_folder_becomes_a_file(tmp_path: Path) -> None:
    """When nothing can be written any more, one line says so."""
    out = tmp_path / "out"
    async with selling(shop(seconds=0.2)) as (_, client):

        def replace(_: Progress) -> None:
            if out.is_dir():
                shutil.rmtree(out)
                out.write_text("a file")

        with pytest.raises(JournalError, match=r"can't write .*journal\.sqlite: "):
            await Job(PROMPTS, out, on_progress=replace).run(client)


async def test_a_manifest_that_can_not_be_written(tmp_path: Path) -> None:
    """Then the report says so; the journal has everything."""
    async with selling(shop()) as (_, client):

        def block(_: Progress) -> None:
            (tmp_path / ".manifest.jsonl.part").mkdir(exist_ok=True)

        job = Job(["a cat"], tmp_path, on_progress=block)
        report = await job.run(client)
        assert (report.manifest, report.is_complete) == (None, False)
        (tmp_path / ".manifest.jsonl.part").rmdir()
        job.on_progress = None
        assert (await job.run(client)).is_complete


async def test_images_that_can_not_be_written(tmp_path: Path) -> None:
    """When an image can't be written the job stops; the next run only downloads."""
    out, journal = tmp_path / "out", tmp_path / "journal.sqlite"
    blocked = [out / "0000-12345.png"]

    async def shelf(visit: Visit) -> None:
        for path in blocked:
            path.mkdir(exist_ok=True)
        visit.send(200, PNG)

    async with selling(shop(seconds=0.1, shelf=shelf)) as (server, client):
        job = Job(PROMPTS, out, journal=journal, concurrency=1)
        first = await job.run(client)
        blocked.pop().rmdir()
        second = await job.run(client)

    assert "can't write" in str(first.ended)
    assert first.counts["answered"] == 1
    assert second.counts["saved"] == 12
    assert server.ran == 12


async def test_an_out_that_is_a_file(tmp_path: Path) -> None:
    """A folder that can't be made is one clear line."""
    (tmp_path / "out").write_text("a file")
    async with selling(shop()) as (_, client):
        for options in ({}, {"journal": tmp_path / "j.sqlite"}):
            job = Job(["a cat"], tmp_path / "out", **options)
            with pytest.raises(JournalError, match=r"can't write to .*out"):
                await job.run(client)


async def test_a_second_run_at_the_same_time(tmp_path: Path) -> None:
    """A second job on one journal is refused; the first one goes on."""
    async with selling(shop(seconds=0.3)) as (server, client):
        job = Job(["a cat"], tmp_path)

        async def refused() -> None:
            await until(lambda: server.in_progress)
            with pytest.raises(JournalError, match="another process works with"):
                await Job(["a dog"], tmp_path).run(client)

        async with anyio.create_task_group() as group:
            group.start_soon(refused)
            report = await job.run(client)

    assert report.is_complete
    assert server.runs == {"a cat": 1}
