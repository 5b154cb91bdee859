"""The folder of a job: removed, replaced, blocked, or used again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ideogram_async import (
    JournalError,
)
from ideogram_async.jobs import Job, Progress

from ..servers import PNG, Visit
from .shop import PROMPTS, files, rows, selling, shop


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


@pytest.mark.parametrize("seed", [10**3000, -1, 2**63, None])
async def test_a_seed_that_is_no_name(seed: int | None, tmp_path: Path) -> None:
    """A seed that none can be, or that is missing, is no part of the name."""
    async with selling(shop(seed=seed)) as (_, client):
        report = await Job(["a cat"], tmp_path).run(client)

    assert report.is_complete
    assert "0000-unknown.png" in files(tmp_path)


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


async def test_the_folder_is_another_jobs_meanwhile(tmp_path: Path) -> None:
    """A journal whose place was taken is written beside the one that took it."""
    out, moved = tmp_path / "out", list[Path]()
    async with selling(shop(seconds=0.2)) as (server, client):
        await Job(["a dog"], tmp_path / "other").run(client)

        def move(_: Progress) -> None:
            if server.in_progress and not moved:
                moved.append(out.rename(tmp_path / "moved"))
                (tmp_path / "other").rename(out)

        first = await Job(["a cat"], out, on_progress=move).run(client)

    assert "journal.sqlite was removed while in use" in str(first.ended)
    assert [row[0] for row in rows(out, "request")] == [
        '{"type": "GenerateV3", "prompt": "a dog"}'
    ]
    assert (out / "journal.1.sqlite").is_file()


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


async def test_a_seed_of_many_digits(tmp_path: Path) -> None:
    """An image is saved also if its seed is no name that a file can have."""
    async with selling(shop(seed=10**300)) as (_, client):
        report = await Job(["a cat"], tmp_path).run(client)

    assert report.is_complete
    assert files(tmp_path) >= {"0000-unknown.png"}
