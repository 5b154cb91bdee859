"""What hooks are told, and that they harm nobody."""

from __future__ import annotations

import asyncio
import logging
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from ideogram_async import (
    DownloadError,
    IdeogramError,
    ImageObject,
    Limiter,
    SafetyError,
    Upload,
)
from ideogram_async.hooks import (
    Attempt,
    Download,
    Hooks,
    LimitChange,
    Outcome,
    RequestStarted,
    Retry,
    Sending,
    Wait,
)

from .failover import asking
from .listening import CuriousNotes, Notes
from .servers import (
    HOST,
    PNG,
    Server,
    answer,
    client_of,
    fail,
    refuse,
    reply,
    reset_after_body,
    serving,
    silence,
    until,
)


async def test_the_events_of_a_request_in_order() -> None:
    """A request that is refused once tells its start, both attempts, and its end."""
    notes = Notes()

    async with serving(refuse(429), answer(), hooks=notes) as (server, client):
        await client.generate("a cat", num_images=2, seed=7)

    assert notes.kinds == [
        "RequestStarted",
        *("Sending", "LimitChange", "Attempt"),
        "Retry",
        "Wait",
        *("Sending", "Attempt"),
        "Outcome",
    ]
    assert len({getattr(e, "request_id", None) for e in notes.events} - {None}) == 1
    (started,) = notes.of(RequestStarted)
    assert (started.operation, started.method) == ("GenerateV3", "POST")
    assert started.path == "/v1/ideogram-v3/generate"
    assert (started.model, started.images, started.places) == ("ideogram-v3", 2, 2)
    assert (started.seed, started.prompt) == (7, None)
    first, second = notes.of(Attempt)
    assert (first.number, first.status, first.error) == (1, 429, "RateLimitError")
    assert (second.number, second.status, second.error) == (2, 200, None)
    assert (second.host, second.port) == (HOST, server.port)
    assert (second.provider, second.places, second.in_use) == ("ideogram", 2, 0)
    assert [each.in_use for each in notes.of(Sending)] == [2, 2]
    (retry,) = notes.of(Retry)
    assert (retry.number, retry.delay, retry.error) == (1, 0.0, "RateLimitError")
    (change,) = notes.of(LimitChange)
    assert (change.provider, change.before) == ("ideogram", 10)
    assert change.after < 10


async def test_the_outcome_of_an_answer() -> None:
    """The end tells what came, what it cost, and how long it took."""
    notes = Notes()

    async with serving(answer(after=0.05), hooks=notes) as (_, client):
        await client.generate("a cat", rendering_speed="TURBO")

    (outcome,) = notes.of(Outcome)
    assert (outcome.images, outcome.withheld, outcome.attempts) == (1, 0, 1)
    assert (outcome.cost.amount, outcome.cost.unit) == (Decimal("0.03"), "USD")
    assert (outcome.error, outcome.status, outcome.is_unknown) == (None, None, False)
    assert outcome.seconds >= notes.of(Attempt)[0].seconds >= 0.05
    assert outcome.waited == 0.0


async def test_the_wait_for_a_place() -> None:
    """A request that waited for its places tells how long."""
    notes = Notes()

    async with serving(answer(after=0.1), hooks=notes, limiter=Limiter(1)) as (_, c):
        await c.generate_many(["a", "b"])

    (wait,) = notes.of(Wait)
    late = [each for each in notes.of(Attempt) if each.waited]
    assert (wait.places, wait.error, wait.provider) == (1, None, "ideogram")
    assert [each.waited for each in late] == [wait.seconds]
    assert wait.seconds > 0.05
    assert max(each.waited for each in notes.of(Outcome)) == wait.seconds


async def test_a_wait_that_is_given_up() -> None:
    """A deadline that passes in the queue is told, with no attempt."""
    notes = Notes()

    async with serving(silence, hooks=notes, limiter=Limiter(1)) as (_, client):
        first = asyncio.create_task(client.generate("a"))
        await until(lambda: client.limiter.in_use)
        with pytest.raises(TimeoutError):
            await client.with_options(deadline=0.05).generate("b")
        first.cancel()
        await asyncio.wait([first])

    (wait,) = notes.of(Wait)
    lost, cut = notes.of(Outcome)
    assert wait.error == lost.error == "RequestTimeoutError"
    assert (lost.attempts, lost.is_unknown) == (0, False)
    assert (cut.error, cut.attempts, cut.is_unknown) == ("CancelledError", 1, True)


@pytest.mark.parametrize(
    ("act", "error", "status", "is_unknown"),
    [
        (refuse(422), "SafetyError", 422, False),
        (fail(500), "OutcomeUnknownError", None, True),
        (reset_after_body, "OutcomeUnknownError", None, True),
        (reply(b"{}"), "DecodeError", None, True),
    ],
)
async def test_the_outcome_of_a_failure(
    act: Any, error: str, status: int | None, *, is_unknown: bool
) -> None:
    """A failure tells its class, and whether it may have been billed."""
    notes = Notes()

    async with serving(act, hooks=notes) as (_, client):
        with pytest.raises(IdeogramError):
            await client.generate("a cat")

    (outcome,) = notes.of(Outcome)
    assert (outcome.error, outcome.status) == (error, status)
    assert outcome.is_unknown is is_unknown
    assert outcome.cost.amount is None


async def test_asking_is_never_unknown() -> None:
    """A GET whose answer can't be read has cost nothing."""
    notes = Notes()

    async with serving(reply(b"no"), hooks=notes) as (_, client):
        with pytest.raises(IdeogramError):
            await client.list_models()

    (started,), (outcome,) = notes.of(RequestStarted), notes.of(Outcome)
    assert (started.model, started.images, started.places) == (None, 0, 0)
    assert (outcome.error, outcome.is_unknown) == ("DecodeError", False)


async def test_a_request_cancelled_before_it_left_is_not_unknown() -> None:
    """Who is cancelled in the queue has sent nothing."""
    notes = Notes()

    async with serving(answer(), hooks=notes, limiter=Limiter(1)) as (_, client):
        lease = await client.limiter.acquire()
        task = asyncio.create_task(client.generate("a cat"))
        await until(lambda: client.limiter.waiting)
        task.cancel()
        await asyncio.wait([task])
        client.limiter.release(lease)

    (outcome,) = notes.of(Outcome)
    assert (outcome.error, outcome.attempts) == ("CancelledError", 0)
    assert outcome.is_unknown is False
    assert notes.of(Wait)[0].error == "CancelledError"


async def test_withheld_images() -> None:
    """Images that are billed and withheld are counted apart."""
    notes = Notes()

    async with serving(answer(is_image_safe=False), hooks=notes) as (_, client):
        await client.generate("a cat")

    (outcome,) = notes.of(Outcome)
    assert (outcome.images, outcome.withheld) == (0, 1)


async def test_images_of_other_answers() -> None:
    """An answer that has no list of images has the layers that it has."""
    notes = Notes()
    body = b'{"base_image_url": "https://x/y.png", "original_image_url": "https://x/z",'
    body += b'"seed": 1, "text_blocks": [], "created": "2025-01-23T04:56:07Z"}'

    async with serving(reply(body), hooks=notes) as (_, client):
        image = Upload.from_bytes(PNG, "a.png")
        answered = await client.layerize_text(image=image)

    assert notes.of(Outcome)[0].images == len(answered.images)


async def test_the_id_of_a_generation() -> None:
    """A submitted generation tells its id."""
    notes = Notes()

    async with serving(reply(b'{"generation_id": "g1"}'), hooks=notes) as (_, client):
        await client.submit_generate_v4("a cat", webhook_url="https://x.example/y")

    (started,), (outcome,) = notes.of(RequestStarted), notes.of(Outcome)
    assert (outcome.generation_id, started.model) == ("g1", "ideogram-v4")


async def test_prompts_only_for_who_asks() -> None:
    """Of several hooks, only the one that asks for prompts gets them; none the key."""
    notes, curious = Notes(), CuriousNotes()

    async with serving(answer(), hooks=[notes, curious]) as (_, client):
        await client.generate("a secret cat")

    assert curious.of(RequestStarted)[0].prompt == "a secret cat"
    assert "a secret cat" not in notes.text
    assert "secret" not in repr(curious.events)
    assert notes.events[1:] == curious.events[1:]
    assert "api_key" not in notes.text


async def test_requests_without_a_prompt() -> None:
    """Hooks that ask for prompts get none where there is none."""
    curious = CuriousNotes()

    async with serving(reply(b'{"datasets": []}'), hooks=curious) as (_, client):
        await client.list_datasets()

    assert curious.of(RequestStarted)[0].prompt is None


class Broken(Hooks):
    """Fails at everything, with the prompt in its words."""

    sees_prompts = True

    def on_request(self, started: RequestStarted) -> None:
        raise ValueError(started.prompt)

    def on_send(self, sending: Sending) -> None:
        raise asyncio.CancelledError

    def on_attempt(self, attempt: Attempt) -> None:
        raise RuntimeError

    def on_outcome(self, outcome: Outcome) -> None:
        raise SafetyError


async def test_hooks_that_fail(caplog: pytest.LogCaptureFixture) -> None:
    """A failing hook harms nothing, and is logged once, without what it said."""
    notes = Notes()

    async with serving(answer(), hooks=[Broken(), notes]) as (server, client):
        batch = await client.generate_many(["a secret", "a secret"])

    logged = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert batch.failures == []
    assert server.ran == 2
    assert len(notes.of(Outcome)) == 2
    assert len(logged) == 4
    assert "Broken.on_request raised ValueError in" in caplog.text
    assert "test_hooks.py:" in caplog.text
    assert "a secret" not in caplog.text


async def test_a_hook_that_is_no_method(caplog: pytest.LogCaptureFixture) -> None:
    """What can't even be called is logged like any other failure."""
    hooks = Hooks()
    hooks.on_outcome = None  # type: ignore[assignment,method-assign]

    async with serving(answer(), hooks=hooks) as (_, client):
        await client.generate("a cat")

    assert "Hooks.on_outcome raised TypeError" in caplog.text


async def test_downloads(tmp_path: Path) -> None:
    """A download tells its host, size and end; never its link."""
    notes = Notes()

    async with (
        Server(reply(PNG), refuse(404)) as images,
        client_of(images.url, hooks=notes) as client,
    ):
        image = ImageObject(url=f"{images.url}/link?exp=1")
        await client.download(image, tmp_path / "a.png")
        with pytest.raises(DownloadError):
            await client.download(image, tmp_path / "b.png")
        with pytest.raises(DownloadError):
            await client.download("http://[", tmp_path / "c.png")

    whole, lost, odd = notes.of(Download)
    assert (whole.host, whole.size, whole.error) == (HOST, len(PNG), None)
    assert (lost.host, lost.size, lost.error) == (HOST, 0, "DownloadError")
    assert (odd.host, odd.error) == ("", "DownloadError")
    assert whole.seconds > 0
    assert "link" not in notes.text


async def test_polls_count_their_own_attempts() -> None:
    """Each step counts its attempts from 1."""
    notes = Notes()
    body = b'{"models": []}'

    async with serving(fail(500), reply(body), hooks=notes) as (_, client):
        await client.list_models()
        await client.list_models()

    assert [each.number for each in notes.of(Attempt)] == [1, 2, 1]
    assert [each.error for each in notes.of(Attempt)] == ["ServerError", None, None]


async def test_a_request_that_moves_on() -> None:
    """A request that is handed over ends once, at who answered."""
    notes = Notes()

    async with (
        Server(refuse(402)) as first_server,
        Server(answer()) as second_server,
        asking(first_server.url, second_server.url, hooks=notes) as (client, _),
    ):
        await client.generate("a cat")

    first, second = notes.of(Attempt)
    (outcome,) = notes.of(Outcome)
    assert client.stats().requests == 1
    assert first.provider != second.provider == outcome.provider
    assert (outcome.attempts, outcome.error) == (2, None)


async def test_unused_methods_do_nothing() -> None:
    """The base class can be used as it is."""
    hooks = Hooks()

    async with serving(refuse(429), answer(), hooks=hooks) as (_, client):
        await client.generate("a cat")
        with pytest.raises(DownloadError):
            await client.download(ImageObject(), "nowhere.png")

    assert client.stats().answered == 1


def test_events_are_values() -> None:
    """Events are frozen, and equal if all in them is."""
    change = LimitChange(provider="ideogram", before=10, after=4)

    assert change == LimitChange(provider="ideogram", before=10, after=4)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        change.after = 5  # type: ignore[misc]
