"""Failover: the next provider is asked only if nobody can have been paid."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import anyio
import pytest

from ideogram_async import (
    BadRequestError,
    ConnectionFailedError,
    DecodeError,
    IdeogramClient,
    IdeogramError,
    InsufficientFundsError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    SafetyError,
    TransportError,
    Upload,
)
from ideogram_async.providers import (
    Ideogram,
)

from .failover import KEY, asking
from .servers import (
    HOST,
    QUICK,
    Act,
    Server,
    answer,
    closed_port,
    fail,
    hang_up,
    refuse,
    reply,
    reset_after_body,
    reset_before_body,
    reset_during_answer,
    reset_during_body,
    silence,
    unreachable,
)


class OneWay(io.BytesIO):
    """A file that can be read once, as a pipe."""

    def seekable(self) -> bool:
        return False


NOT_RUN = [
    pytest.param(refuse(401), id="401"),
    pytest.param(refuse(402), id="402"),
    pytest.param(refuse(403), id="403"),
    pytest.param(refuse(503, headers={"Retry-After": "0"}), id="503 Retry-After"),
    pytest.param(
        refuse(429, b'{"error": "no", "max_inflight_requests": 1}'), id="429 too large"
    ),
]


PERHAPS_RUN: list[Any] = [
    pytest.param(fail(500), OutcomeUnknownError, id="500"),
    pytest.param(fail(503), OutcomeUnknownError, id="503"),
    pytest.param(hang_up, OutcomeUnknownError, id="closed"),
    pytest.param(reset_before_body, OutcomeUnknownError, id="reset before the body"),
    pytest.param(reset_during_body, OutcomeUnknownError, id="reset in the body"),
    pytest.param(reset_after_body, OutcomeUnknownError, id="reset after the body"),
    pytest.param(reset_during_answer, DecodeError, id="reset in the answer"),
    pytest.param(silence, OutcomeUnknownError, id="silence"),
    pytest.param(reply(b"{}", length=1000), DecodeError, id="truncated"),
    pytest.param(reply(b"gibberish"), DecodeError, id="gibberish"),
    pytest.param(refuse(400), BadRequestError, id="400"),
    pytest.param(refuse(404), NotFoundError, id="404"),
    pytest.param(refuse(413), BadRequestError, id="413"),
    pytest.param(refuse(422), SafetyError, id="422"),
]


@pytest.mark.parametrize("act", NOT_RUN)
async def test_next_is_asked_if_nothing_ran(act: Act) -> None:
    """After a refusal that concerns the provider alone, the next one answers."""
    async with (
        Server(act) as first,
        Server(answer()) as second,
        asking(first.url, second.url) as (client, _),
    ):
        response = await client.generate("a cat", num_images=2)

    assert response.data[0].prompt == "a cat"
    assert (first.ran, second.ran) == (0, 1)
    assert len(first.requests) == 1


async def test_next_is_asked_if_there_is_no_connection() -> None:
    """Where nobody listens, the next one is asked at once, without a retry."""
    dead = f"http://{HOST}:{closed_port()}"
    retry = RetryPolicy(wait_initial=30.0, wait_max=30.0)
    async with (
        Server(answer()) as second,
        asking(dead, second.url, retry=retry) as (client, _),
    ):
        with anyio.fail_after(5):
            response = await client.generate("a cat")

    assert response.data[0].prompt == "a cat"
    assert second.ran == 1


@pytest.mark.parametrize(("act", "expected"), PERHAPS_RUN)
async def test_next_is_not_asked_otherwise(
    act: Act, expected: type[IdeogramError]
) -> None:
    """What may have run, or is the request's own fault, is not tried elsewhere."""
    async with (
        Server(act) as first,
        Server(answer()) as second,
        asking(first.url, second.url, timeout=2.0) as (client, _),
    ):
        with pytest.raises(expected) as caught:
            await client.generate("a cat")

    assert caught.value.provider == "ideogram"
    assert second.requests == []


async def test_unknown_then_refused_stays_unknown() -> None:
    """A request that may have run stays so, whatever befalls its later attempts."""
    retry = RetryPolicy(wait_initial=0.01, resend_unknown=True)
    async with (
        Server(reset_after_body, refuse(402)) as first,
        Server(answer()) as second,
        asking(first.url, second.url, retry=retry) as (client, _),
    ):
        with pytest.raises(OutcomeUnknownError):
            await client.generate("a cat")

    assert second.requests == []


async def test_throttled_provider_gets_its_share_of_the_deadline() -> None:
    """A provider that goes on saying 429 is left after half of the time."""
    async with (
        Server(refuse(429)) as first,
        Server(answer()) as second,
        asking(first.url, second.url, deadline=4.0) as (client, _),
    ):
        started = anyio.current_time()
        await client.generate("a cat")
        taken = anyio.current_time() - started

    assert first.ran == 0
    assert second.ran == 1
    assert 1.9 < taken < 3.9


async def test_throttled_without_a_deadline_waits() -> None:
    """Without a deadline a 429 is waited out: the first provider still answers."""
    async with (
        Server(refuse(429), refuse(429), answer()) as first,
        Server(answer()) as second,
        asking(first.url, second.url) as (client, _),
    ):
        await client.generate("a cat")

    assert first.ran == 1
    assert second.requests == []


async def test_attempt_under_way_outlives_its_share() -> None:
    """What is under way when a provider's share of the time ends is waited for."""
    async with (
        Server(answer(after=0.8)) as first,
        Server(answer()) as second,
        asking(first.url, second.url, deadline=1.2) as (client, _),
    ):
        await client.generate("a cat")

    assert first.ran == 1
    assert second.requests == []


async def test_deadline_ends_all() -> None:
    """When every provider says 429 to the end, the request ends as never sent."""
    async with (
        Server(refuse(429)) as first,
        Server(refuse(429)) as second,
        asking(first.url, second.url, deadline=3.0) as (client, _),
    ):
        with pytest.raises(RequestTimeoutError) as caught:
            await client.generate("a cat")

    assert caught.value.delivery == "not_sent"
    assert caught.value.provider == "aihubmix"
    assert min(len(first.requests), len(second.requests)) > 0


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_provider_is_set_aside(status: int) -> None:
    """A provider that refused the key or for funds is not asked again."""
    async with (
        Server(refuse(status)) as first,
        Server(answer()) as second,
        asking(first.url, second.url) as (client, _),
    ):
        await client.generate("one")
        batch = await client.generate_many(["two", "three"])
        copied = client.with_options(timeout=1.0)
        await copied.generate("four")

    assert len(first.requests) == 1
    assert second.ran == 4
    assert [each.provider for each in batch.successes] == ["aihubmix"] * 2


async def test_all_set_aside() -> None:
    """When all have refused, all are asked again: each may have been paid since."""
    async with (
        Server(refuse(402), refuse(402), answer()) as first,
        Server(refuse(402)) as second,
        asking(first.url, second.url) as (client, _),
    ):
        for _ in range(2):
            with pytest.raises(InsufficientFundsError):
                await client.generate("a cat")
        await client.generate("a cat")

    assert len(second.requests) == 2
    assert first.ran == 1


async def test_stream_that_was_read_is_not_sent_elsewhere() -> None:
    """A file that can be read once goes to one provider only."""
    content = b"\x89PNG\r\n\x1a\n" + bytes(100)
    async with (
        Server(refuse(402)) as first,
        Server(answer()) as second,
        asking(first.url, second.url) as (client, _),
    ):
        image = Upload.from_stream(OneWay(content), "cat.png")
        with pytest.raises(InsufficientFundsError):
            await client.remix("a cat", image=image)

    assert second.requests == []


async def test_unreadable_file_is_nobodys_fault(tmp_path: Path) -> None:
    """A file that has gone is not tried with the next provider."""
    path = tmp_path / "cat.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    async with (
        Server(answer()) as first,
        Server(answer()) as second,
        asking(first.url, second.url) as (client, _),
    ):
        image = Upload.from_path(path)
        path.unlink()
        with pytest.raises(TransportError, match="can't read the upload") as caught:
            await client.remix("a cat", image=image)

    assert caught.value.provider == "ideogram"
    assert first.requests == second.requests == []


async def test_last_error_is_that_of_the_last_provider() -> None:
    """When nobody can be reached, the error is the last one's, and says so."""
    urls = [f"http://{HOST}:{closed_port()}" for _ in range(2)]
    async with asking(*urls) as (client, _):
        with pytest.raises(ConnectionFailedError) as caught:
            await client.generate("a cat")

    assert caught.value.provider == "aihubmix"


async def test_too_large_for_the_last() -> None:
    """A request that no provider's limit allows ends with the refusal of the last."""
    body = b'{"error": "no", "max_inflight_requests": 1}'
    async with (
        Server(refuse(429, body)) as first,
        Server(refuse(429, body)) as second,
        asking(first.url, second.url) as (client, _),
    ):
        with pytest.raises(RateLimitError) as caught:
            await client.generate("a cat", num_images=4)

    assert caught.value.provider == "aihubmix"


async def test_resend_unknown_is_obeyed_with_several_providers() -> None:
    """Who may send again after an unknown outcome does so, with the same provider."""
    retry = RetryPolicy(wait_initial=0.01, resend_unknown=True)
    async with (
        Server(reset_after_body, answer()) as first,
        Server(answer()) as second,
        asking(first.url, second.url, retry=retry) as (client, _),
    ):
        await client.generate("a cat")

    assert (first.ran, second.ran) == (2, 0)


async def test_unknown_then_no_connection_is_never_paid_elsewhere() -> None:
    """After an unknown outcome no other provider is asked, whatever comes then."""
    retry = RetryPolicy(wait_initial=0.01, resend_unknown=True)
    async with (
        Server(reset_after_body, refuse(503, b"{}", {"Retry-After": "0.01"})) as first,
        Server(answer()) as second,
        asking(first.url, second.url, retry=retry) as (client, _),
    ):
        with pytest.raises(OutcomeUnknownError):
            await client.generate("a cat")

    assert len(first.requests) == 5
    assert second.requests == []


async def test_asking_is_repeated_with_several_providers() -> None:
    """A step that costs nothing is sent again, as with a single provider."""
    empty = reply(b'{"datasets": []}')
    async with Server(fail(500), empty) as first, Server(empty) as second:
        providers = [Ideogram(KEY, first.url), Ideogram(KEY + "2", second.url)]
        async with IdeogramClient(provider=providers, retry=QUICK) as client:
            await client.list_datasets()

    assert (len(first.requests), len(second.requests)) == (2, 0)


async def test_connecting_takes_no_more_than_the_share() -> None:
    """An address that never answers leaves the next provider its time."""
    with unreachable() as port:
        async with (
            Server(answer(after=0.4)) as second,
            asking(f"http://{HOST}:{port}", second.url, deadline=2.0) as (client, _),
        ):
            await client.generate("a cat")

    assert second.ran == 1
