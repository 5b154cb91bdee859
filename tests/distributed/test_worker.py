"""Workers: what they share, and what becomes of what they leave."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from ideogram_async import (
    AuthenticationError,
    GenerateV3,
    IdeogramClient,
    JournalError,
    Limiter,
    Upload,
)
from ideogram_async.cli._gallery import write_gallery
from ideogram_async.costs import UNKNOWN
from ideogram_async.distributed import Worker, enqueue, status
from ideogram_async.distributed._queue import PostponedError
from ideogram_async.jobs import Job, Problem
from ideogram_async.sandbox import Sandbox

from ..jobs.shop import PROMPTS, files, manifest, picture, price, selling, shop
from ..postgres import Postgres
from ..servers import Server, Visit, client_of, refuse, until
from .crew import change, rows, states, until_it_is, work


HOOK = "https://example.com/hook"


def told(out: Path) -> dict[int, Any]:
    """Return the manifest without what differs from run to run: the links."""
    lines = manifest(out)
    for line in lines.values():
        for image in line["response"]["data"]:
            del image["url"]
    return lines


async def test_one_job_in_one_process_and_on_a_fleet(tmp_path: Path, dsn: str) -> None:
    """Both make the same items, names, manifest and page of the same input."""
    one, fleet = tmp_path / "one", tmp_path / "fleet"
    prompts = [*PROMPTS, "forbidden", *PROMPTS[:2]]
    special = {"forbidden": refuse(422)}
    async with selling(shop(special)) as (server, client):
        await Job(prompts, one, price=price).run(client)
        await enqueue(prompts, dsn, out=fleet, price=price)
        await work(dsn, server, workers=2)
    pages = [out / "index.html" for out in (one, fleet)]
    for page in pages:
        write_gallery(page.with_name("manifest.jsonl"), page)

    assert files(fleet) == files(one) - {"journal.sqlite"}
    for line in (*manifest(one).values(), *manifest(fleet).values()):
        line.pop("response")
    assert pages[0].read_text() == pages[1].read_text()
    assert {n: line["request"] for n, line in manifest(fleet).items()} == {
        n: line["request"] for n, line in manifest(one).items()
    }
    assert server.ran == 2 * (len(prompts) - 1)


async def test_a_budget_of_all_workers(tmp_path: Path, dsn: str) -> None:
    """Workers together stay within the budget; a larger one lets them go on."""
    problems = list[Problem]()
    async with selling(shop(seconds=0.02)) as (server, _):
        await enqueue(PROMPTS, dsn, out=tmp_path, price=price, budget="0.15")
        await work(dsn, server, workers=2, on_problem=problems.append)
        spent = server.ran
        found = await status(dsn)
        again = await enqueue(PROMPTS, dsn, out=tmp_path, price=price, budget="1")
        await work(dsn, server)

    (job,) = found.jobs
    assert spent == 5
    assert (job.counts["saved"], job.counts["pending"]) == (5, 7)
    assert (str(job.spent), str(job.budget), job.unit) == ("0.15", "0.15", "USD")
    assert "with a larger budget" in str(problems[0].error)
    assert again.queued == 7
    assert server.ran == 12


async def test_a_budget_waits_for_what_may_be_free(tmp_path: Path, dsn: str) -> None:
    """An item that doesn't fit waits while one under way may turn out to be free."""

    async def refused_late(visit: Visit) -> None:
        await visit.read()
        await anyio.sleep(1.5)
        visit.send(422, b'{"error": "no"}')

    async with selling(shop({"one": refused_late})) as (server, _):
        await enqueue(["one", "two"], dsn, out=tmp_path, price=price, budget="0.03")
        await work(dsn, server)

    assert states(dsn) == {"failed": 1, "saved": 1}
    assert [cost for (cost,) in rows(dsn, "cost")] == [0, 30_000_000]


async def test_unknown_prices_under_a_budget(tmp_path: Path, dsn: str) -> None:
    """What has no known price isn't sent under a budget, unless that is allowed."""
    async with Server(shop()) as server:
        made = {"out": tmp_path, "budget": 1, "price": lambda _: UNKNOWN}
        await enqueue(["one"], dsn, **made)
        await work(dsn, server, price=lambda _: UNKNOWN)
        first = states(dsn)
        await enqueue(["one"], dsn, **made, allow_unknown_price=True)
        await work(dsn, server, price=lambda _: UNKNOWN)

    assert first == {"pending": 1}
    assert rows(dsn, "state, unpriced") == [("saved", 1)]


async def test_uploads_travel_with_their_requests(tmp_path: Path, dsn: str) -> None:
    """A worker has no files of who enqueued, and sends them all the same."""
    path = tmp_path / "style.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n a style")
    with path.open("rb") as stream:
        async with Server(shop()) as server:
            made = (
                Upload.from_path(path),
                Upload.from_bytes(b"\x89PNG\r\n\x1a\n bytes", "bytes.png"),
                Upload.from_stream(stream, "stream.png"),
                Upload.from_url(f"{server.url}/linked.png"),
            )
            request = GenerateV3("a cat", style_reference_images=made, num_images=1)
            await enqueue([request, request], dsn, out=tmp_path / "out", price=price)
            path.unlink()
            await work(dsn, server)

    sent = [seen.body for seen in server.requests if seen.method == "POST"]
    assert len(sent) == 2
    for body in sent:
        for name in ("style.png", "bytes.png", "stream.png", "linked.png"):
            assert f'filename="{name}"'.encode() in body
        assert body.count(b" a style") == 2
        assert b" bytes" in body


async def test_a_worker_that_is_stopped(tmp_path: Path, dsn: str) -> None:
    """What is under way still ends and is saved; the rest waits for others."""
    async with Server(shop(seconds=0.5)) as server, client_of(server.url) as client:
        await enqueue(PROMPTS, dsn, out=tmp_path, price=price)
        worker = Worker(client, dsn, ttl=1, price=price, concurrency=3)
        async with anyio.create_task_group() as group:
            group.start_soon(worker.run)
            await until(lambda: server.in_progress == 3)
            worker.stop()
        saved = states(dsn)["saved"]
        ran = server.ran
        await work(dsn, server)

    assert saved == ran
    assert 3 <= ran < 12
    assert states(dsn) == {"saved": 12}
    assert server.ran == 12


async def test_a_worker_that_is_cancelled(tmp_path: Path, dsn: str) -> None:
    """Nothing new is sent, and what is paid is saved."""
    async with Server(shop(seconds=0.5)) as server, client_of(server.url) as client:
        await enqueue(PROMPTS, dsn, out=tmp_path, price=price)
        worker = Worker(client, dsn, ttl=1, price=price, concurrency=3)
        running = asyncio.create_task(worker.run())
        await until(lambda: server.in_progress == 3)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    assert states(dsn)["saved"] == server.ran
    assert not any(owner for (owner,) in rows(dsn, "owner"))


async def test_a_worker_that_is_left(tmp_path: Path, dsn: str) -> None:
    """What is dropped may be paid: it is unknown, and is sent again only if asked."""
    async with Server(shop(seconds=1.0)) as server:
        async with client_of(server.url) as client:
            await enqueue(PROMPTS[:4], dsn, out=tmp_path, price=price)
            worker = Worker(client, dsn, ttl=1, price=price, concurrency=2)
            async with anyio.create_task_group() as group:
                group.start_soon(worker.run)
                await until(lambda: server.in_progress == 2)
                worker.leave()
        left = states(dsn)
        found = await status(dsn)
        await work(dsn, server)
        held = states(dsn)
        again = await enqueue(
            PROMPTS[:4], dsn, out=tmp_path, price=price, resend_unknown=True
        )
        await work(dsn, server)

    assert left == {"unknown": 2, "pending": 2}
    assert held == {"unknown": 2, "saved": 2}
    assert again.queued == 2
    assert states(dsn) == {"saved": 4}
    unknown = [each.request["prompt"] for each in found.jobs[0].unknown]
    assert unknown == PROMPTS[:2]


async def test_a_key_that_is_refused(tmp_path: Path, dsn: str) -> None:
    """The worker ends and says why; the items wait for one with a better key."""
    async with Server(refuse(401), shop()) as server:
        await enqueue(["one"], dsn, out=tmp_path, price=price)
        with pytest.raises(ExceptionGroup) as raised:
            await work(dsn, server)
        first = states(dsn)
        await work(dsn, server)

    assert raised.group_contains(AuthenticationError)
    assert first == {"pending": 1}
    assert states(dsn) == {"saved": 1}


async def test_a_service_that_is_down(tmp_path: Path, dsn: str) -> None:
    """An item that could not be sent is tried again later."""
    async with Server(refuse(503, headers={"Retry-After": "0"})) as gone:
        port = gone.port
    await enqueue(["one"], dsn, out=tmp_path, price=price)
    async with (
        client_of(f"http://127.0.0.1:{port}") as client,
        anyio.create_task_group() as group,
    ):
        worker = Worker(client, dsn, ttl=1, until_done=True, price=price)
        group.start_soon(worker.run)
        await until_it_is(lambda: rows(dsn, "error")[0][0], anyio.sleep)
        async with Server(shop(), port=port):
            await until_it_is(lambda: states(dsn)["saved"], anyio.sleep)


async def test_images_that_come_later(tmp_path: Path, dsn: str) -> None:
    """What was answered, and could not be saved, is saved without sending it again."""
    shut = [True]

    async def shelf(visit: Visit) -> None:
        if shut:
            shut.clear()
            visit.send(404)
        else:
            await picture(visit)

    async with Server(shop(shelf=shelf)) as server:
        await enqueue(["one"], dsn, out=tmp_path, price=price)
        await work(dsn, server)

    assert server.ran == 1
    assert states(dsn) == {"saved": 1}
    assert manifest(tmp_path)[0]["error"] is None


async def test_a_database_that_restarts(
    tmp_path: Path, dsn: str, postgres: Postgres
) -> None:
    """Workers wait for it, and go on; each item is paid once."""
    async with Server(shop(seconds=0.1)) as server:
        await enqueue(PROMPTS * 3, dsn, out=tmp_path, price=price, budget=2)
        async with anyio.create_task_group() as group:
            group.start_soon(work, dsn, server, 2)
            await until(lambda: server.ran > 3)
            await anyio.to_thread.run_sync(postgres.restart)

    assert states(dsn) == {"saved": 36}
    assert server.ran == 36


async def test_a_database_that_stays_away(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that can't write down what it does ends, and says why."""
    for module in ("_worker", "_queue"):
        monkeypatch.setattr(f"ideogram_async.distributed.{module}.PATIENCE", 0.2)
    dsn = postgres.database()
    name = dsn.partition("?")[0].rpartition("/")[2]
    lock = f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"
    ends = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname = '{name}'"
    )

    def drop() -> None:
        for statement in (lock, ends):
            change(postgres.dsn("postgres"), statement)

    async with Server(shop(seconds=1)) as server, client_of(server.url) as client:
        await enqueue(["one"], dsn, out=tmp_path, price=price)
        worker = Worker(client, dsn, ttl=1, price=price)
        async with anyio.create_task_group() as group:
            group.start_soon(ended, worker)
            await until(lambda: server.in_progress)
            await anyio.to_thread.run_sync(drop)


async def ended(worker: Worker) -> None:
    """See that the worker ends because of its database."""
    with pytest.raises(JournalError, match="the journal can't be written: "):
        await worker.run()


async def test_jobs_side_by_side(tmp_path: Path, dsn: str) -> None:
    """Workers work on all jobs of the database; each has a folder of its own."""
    one, two = tmp_path / "one", tmp_path / "two"
    async with Server(shop()) as server:
        await enqueue(["a", "b"], dsn, out=one, price=price)
        await enqueue(["a", "c", "d"], dsn, out=two, price=price, embed_prompt=True)
        await work(dsn, server)
        found = await status(dsn, out=str(two))

    assert len(manifest(one)) == 2
    assert len(manifest(two)) == 3
    assert [job.total for job in found.jobs] == [3]
    assert found.is_done


async def test_names_that_are_taken(tmp_path: Path, dsn: str) -> None:
    """Images of one job never get the name of another, whatever positions become."""
    async with Server(shop()) as server:
        await enqueue(["a", "b"], dsn, out=tmp_path, price=price, total=100)
        await work(dsn, server)
        change(dsn, "UPDATE ideogram_items SET position = position + 1")
        for name in files(tmp_path) - {"manifest.jsonl"}:
            (tmp_path / name).unlink()
        await enqueue(["c", "a", "b"], dsn, out=tmp_path, price=price)
        await work(dsn, server)

    names = [json.loads(names)[0] for (names,) in rows(dsn, "files")]
    assert len(set(names)) == 3
    assert "0000-12345-2.png" in names


async def test_a_folder_that_can_not_be_used(tmp_path: Path, dsn: str) -> None:
    """A worker that can't write where it should ends, and says so; nothing is lost."""
    away = tmp_path / "a file"
    away.write_text("")
    async with Server(shop()) as server:
        await enqueue(["one"], dsn, out=away / "out", price=price)
        with pytest.raises(ExceptionGroup) as raised:
            await work(dsn, server)
        first = states(dsn)
        change(dsn, "UPDATE ideogram_items SET queued = false")
        with pytest.raises(ExceptionGroup) as again:
            await work(dsn, server)

    assert raised.group_contains(NotADirectoryError)
    assert again.group_contains(NotADirectoryError)
    assert first == {"pending": 1}
    assert server.ran == 0


async def test_an_entry_of_the_queue_that_is_too_many(tmp_path: Path, dsn: str) -> None:
    """An item stands in the queue twice, and is sent once."""
    async with Server(shop()) as server:
        await enqueue(["one", "two"], dsn, out=tmp_path, price=price)
        change(
            dsn,
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
            " SELECT queue_name, task_name, args FROM procrastinate_jobs",
        )
        await work(dsn, server, workers=2)

    assert server.ran == 2
    assert states(dsn) == {"saved": 2}


async def test_entries_of_a_dead_worker(tmp_path: Path, dsn: str) -> None:
    """What a dead worker had taken from the queue, and not claimed yet, goes on."""
    async with Server(shop()) as server:
        await enqueue(["one", "two"], dsn, out=tmp_path, price=price)
        change(dsn, "UPDATE procrastinate_jobs SET status = 'doing' WHERE id = 1")
        await work(dsn, server, workers=2)

    assert states(dsn) == {"saved": 2}
    assert server.ran == 2


async def test_an_item_that_is_taken_away(
    tmp_path: Path, dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker that was taken for dead, and wakes, leaves the item to its heir."""
    async with Server(shop(seconds=0.5)) as server, client_of(server.url) as client:
        await enqueue(["one"], dsn, out=tmp_path, price=price)
        worker = Worker(client, dsn, ttl=60, price=price)
        async with anyio.create_task_group() as group:
            group.start_soon(worker.run)
            await until(lambda: server.in_progress)
            change(dsn, "UPDATE ideogram_items SET claim = 7, state = 'saved'")
            await until_it_is(lambda: "taken for dead" in caplog.text, anyio.sleep)
            worker.stop()

    assert rows(dsn, "state, claim, answer") == [("saved", 7, None)]


async def test_an_entry_that_comes_too_late() -> None:
    """A worker that is about to end takes nothing new, and puts it back."""
    worker: Any = Worker(IdeogramClient("a key"), "dsn")
    worker.stop()
    with pytest.raises(PostponedError, match="postponed for 0 s"):
        await worker._take(None, None, 1, 1)


def test_numbers_that_are_wrong() -> None:
    """A worker's numbers are checked when it is made."""
    client = IdeogramClient("a key")
    with pytest.raises(ValueError, match="concurrency must be 1 or more, got 0"):
        Worker(client, "dsn", concurrency=0)
    with pytest.raises(ValueError, match=r"ttl must be 1 or more, got 0\.5"):
        Worker(client, "dsn", ttl=0.5)


async def test_generations_that_are_waited_for(tmp_path: Path, dsn: str) -> None:
    """A generation that a dropped worker had submitted is waited for by another."""
    async with Sandbox(latency=2.0) as sandbox:
        made = {"base_url": sandbox.url, "limiter": Limiter(4, learn=False)}
        await enqueue(
            PROMPTS[:3],
            dsn,
            out=tmp_path,
            budget=1,
            asynchronous=True,
            webhook_url=HOOK,
        )
        async with IdeogramClient("a key", **made) as client:
            worker = Worker(client, dsn, ttl=1, concurrency=3)
            async with anyio.create_task_group() as group:
                group.start_soon(worker.run)
                await until_it_is(lambda: states(dsn)["submitted"] == 3, anyio.sleep)
                worker.leave()
            left = states(dsn)
            await Worker(client, dsn, ttl=1, until_done=True).run()

    assert left == {"submitted": 3}
    assert states(dsn) == {"saved": 3}
    assert sandbox.ledger.times_billed == dict.fromkeys(PROMPTS[:3], 1)
    assert len(files(tmp_path)) == 4
