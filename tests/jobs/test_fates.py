"""What becomes of an item: refused, unknown, expired, withheld."""

from __future__ import annotations

from pathlib import Path

import pytest

from ideogram_async import (
    AuthenticationError,
    DownloadError,
    OutcomeUnknownError,
    SafetyError,
)
from ideogram_async.jobs import Job

from ..servers import PNG, Visit, answer_body, fail, hang_up, refuse, reply
from .shop import FOREVER, PROMPTS, files, manifest, price, rows, selling, shop, states


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


async def test_half_a_letter_in_an_answer(tmp_path: Path) -> None:
    """An answer with half an emoji, which UTF-8 can't hold, is written down too."""
    half = answer_body("x", url="LINK").replace(b'"x"', b'"\\ud83d"')

    async def cut(visit: Visit) -> None:
        await visit.run()
        link = f"{visit.server.url}/1.png?exp={FOREVER}"
        visit.send(200, half.replace(b"LINK", link.encode()))

    async with selling(shop({"a cat": cut})) as (_, client):
        report = await Job(["a cat", "a dog"], tmp_path).run(client)

    assert report.is_complete
    assert manifest(tmp_path)[0]["response"]["data"][0]["prompt"] == "\ud83d"


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_what_may_be_paid_stays_unknown(tmp_path: Path, status: int) -> None:
    """What was to be sent again, and was refused, isn't sent unasked the next time."""
    acts = {"a cat": hang_up}
    async with selling(shop(acts)) as (server, client):
        job = Job(["a cat"], tmp_path, price=price)
        await job.run(client)
        acts["a cat"] = refuse(status)
        job.resend_unknown = True
        second = await job.run(client)
        acts.clear()
        job.resend_unknown = False
        third = await job.run(client)

    assert states(second) == states(third) == {"unknown": 1}
    assert str(third.spent) == "0.03"
    assert server.ran == 1
