"""Header fields of the caller's own, and other options of a client and its copies."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ideogram_async import (
    ConfigurationError,
    IdeogramClient,
    RetryPolicy,
    ServerError,
    __version__,
)
from ideogram_async.providers import PROVIDERS

from .servers import PNG, Server, answer, client_of, refuse, reply, serving


VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


async def test_headers_of_every_request(tmp_path: Path) -> None:
    """Header fields go to the service with every request, and to nobody else."""
    async with (
        Server(refuse(429), answer(), reply(b'{"datasets": []}')) as server,
        Server(reply(PNG)) as images,
        client_of(server.url, headers={"x-team": " posters "}) as client,
    ):
        await client.generate("a cat")
        await client.list_datasets()
        await client.download(f"{images.url}/a", tmp_path / "a.png")

    assert [each.headers["x-team"] for each in server.requests] == ["posters"] * 3
    assert {each.headers["api-key"] for each in server.requests} == {"secret"}
    assert "x-team" not in images.requests[0].headers


async def test_headers_of_a_copy() -> None:
    """A copy has its own header fields; the client keeps its own, without an option."""
    async with serving(answer(), headers={"X-Team": "a"}) as (server, client):
        await client.with_options(headers={"X-Job": "b"}).generate("1")
        await client.with_options(timeout=3).generate("2")
        await client.generate("3")

    sent = [(r.headers.get("x-team"), r.headers.get("x-job")) for r in server.requests]
    assert sent == [(None, "b"), ("a", None), ("a", None)]


async def test_what_the_service_is_told_of_us(tmp_path: Path) -> None:
    """The service is told the versions; hosts of images only ours; both can be said."""
    long = (
        f"ideogram-async/{__version__} python/{VERSION} aiohttp/{aiohttp.__version__}"
    )

    async with (
        Server(answer()) as server,
        Server(reply(PNG)) as images,
        client_of(server.url) as client,
    ):
        await client.generate("a cat")
        await client.with_options(headers={"user-agent": "mine/1"}).generate("a cat")
        await client.download(f"{images.url}/a", tmp_path / "a.png")

    agents = [each.headers["user-agent"] for each in server.requests]
    assert agents == [long, "mine/1"]
    assert server.requests[1].head.lower().count(b"user-agent") == 1
    assert images.requests[0].headers["user-agent"] == f"ideogram-async/{__version__}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_key_is_not_overridden(provider: str) -> None:
    """The header field of the key can't be given, in whatever letters."""
    name = PROVIDERS[provider].key_header

    for spelling in (name, name.lower(), name.upper()):
        with pytest.raises(ConfigurationError, match="carries the key") as caught:
            IdeogramClient("key", provider=provider, headers={spelling: "other"})
        assert "other" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "complaint"),
    [
        ({"X-A": "a\r\nApi-Key: b"}, "the value of X-A has characters"),
        ({"X-A": "a\nb"}, "the value of X-A has characters"),
        ({"X-A": "a\x00"}, "the value of X-A has characters"),
        ({"X-A": "\N{SNOWMAN}"}, "the value of X-A has characters"),
        ({"X A": "a"}, "'X A' is no header field"),
        ({"X-A\r\nB": "a"}, r"'X-A\\r\\nB' is no header field"),
        ({"": "a"}, "'' is no header field"),
        ({"X-A": 1}, "'X-A' is no header field"),
        ({"content-length": "1"}, "content-length follows from the request"),
        ({"Host": "a"}, "Host follows from the request"),
    ],
)
async def test_headers_that_are_none(headers: Any, complaint: str) -> None:
    """What is no header field, or would be several, is refused before anything."""
    with pytest.raises(ConfigurationError, match=complaint):
        IdeogramClient("key", headers=headers)
    async with IdeogramClient("key") as client:
        with pytest.raises(ConfigurationError, match=complaint):
            client.with_options(headers=headers)


async def test_options_of_a_copy_leave_the_client_alone() -> None:
    """Retry, timeout and deadline of a copy are its own."""
    async with serving(refuse(503, headers={"Retry-After": "0"})) as (server, client):
        once = client.with_options(retry=RetryPolicy(attempts=1))
        with pytest.raises(ServerError):
            await once.generate("a cat")
        sent = len(server.requests)
        with pytest.raises(ServerError):
            await client.generate("a cat")

    assert (sent, len(server.requests)) == (1, 4)
