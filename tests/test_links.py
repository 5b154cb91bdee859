"""Uploads from a link: streamed through, without the key."""

from __future__ import annotations

import gzip
import pickle

import pytest

from ideogram_async import Mask, RemixV3, TransportError, Upload

from .servers import (
    PNG,
    Act,
    Server,
    answer,
    closed_port,
    fail,
    refuse,
    reply,
    serving,
    silence,
)
from .test_body import parts


PICTURE = PNG * 400


def remix(url: str) -> RemixV3:
    """Return a request whose image is at *url*."""
    return RemixV3("a cat", image=Upload.from_url(url))


@pytest.mark.parametrize(
    ("headers", "body", "is_measured"),
    [
        ({}, PICTURE, True),
        ({"Content-Encoding": "gzip"}, gzip.compress(PICTURE), False),
    ],
    ids=["plain", "packed"],
)
async def test_a_link_is_streamed_through(
    headers: dict[str, str], body: bytes, *, is_measured: bool
) -> None:
    """The content of a link arrives whole, under its name, and its host gets no key."""
    async with (
        Server(reply(body, headers)) as host,
        serving(answer()) as (server, client),
    ):
        await client.send(remix(f"{host.url}/pictures/a%20cat.png?size=1"))

    head, content = parts(server.requests[0])["image"]
    assert content == PICTURE
    assert b'filename="a cat.png"' in head
    assert b"Content-Type: image/png" in head
    assert ("content-length" in server.requests[0].headers) is is_measured
    assert "api-key" not in host.requests[0].headers
    assert "secret" not in str(host.requests[0].headers)


async def test_a_link_is_fetched_again_after_a_refusal() -> None:
    """A request that was refused is sent again with the whole content."""
    async with (
        Server(reply(PICTURE)) as host,
        serving(refuse(429), answer()) as (server, client),
    ):
        await client.send(remix(f"{host.url}/cat.png"))

    assert [parts(seen)["image"][1] for seen in server.requests] == [PICTURE] * 2
    assert len(host.requests) == 2


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (refuse(404), "its server answers 404"),
        (fail(500), "its server answers 500"),
    ],
)
async def test_a_link_that_is_dead(act: Act, said: str) -> None:
    """A link that can't be opened is told as such; the service hears nothing."""
    async with Server(act) as host, serving(answer()) as (server, client):
        with pytest.raises(TransportError, match=said) as caught:
            await client.send(remix(f"{host.url}/cat.png"))

    assert caught.value.delivery == "not_sent"
    assert "can't fetch the upload cat.png" in str(caught.value)
    assert server.requests == []


async def test_a_link_to_nobody() -> None:
    """A host that is not there is told as such, and nothing is sent."""
    async with serving(answer()) as (server, client):
        with pytest.raises(TransportError, match=r"can't fetch the upload") as caught:
            await client.send(remix(f"http://127.0.0.1:{closed_port()}/cat.png"))

    assert caught.value.delivery == "not_sent"
    assert server.requests == []


async def test_a_link_that_hangs() -> None:
    """A silent host ends with the attempt's time; the service never had a request."""
    async with (
        Server(silence) as host,
        serving(answer(), timeout=0.3) as (server, client),
    ):
        with pytest.raises(TransportError) as caught:
            await client.send(remix(f"{host.url}/cat.png"))

    assert caught.value.delivery == "not_sent"
    assert server.ran == 0


async def test_a_link_that_is_cut_off() -> None:
    """When the content ends early the service has no whole request, and runs none."""
    async with (
        Server(reply(PICTURE[:5000], length=len(PICTURE))) as host,
        serving(answer()) as (server, client),
    ):
        with pytest.raises(TransportError, match=r"could not be read") as caught:
            await client.send(remix(f"{host.url}/cat.png"))

    assert caught.value.delivery == "not_sent"
    assert server.ran == 0


@pytest.mark.parametrize("url", ["cat.png", "ftp://host/cat.png", "http:///cat.png"])
def test_what_is_no_link(url: str) -> None:
    """Only http and https addresses are links."""
    with pytest.raises(ValueError, match="url must be an http or https address"):
        Upload.from_url(url)


def test_links_are_values() -> None:
    """An upload from a link compares and pickles; name and type may be given."""
    upload = Upload.from_url("https://host/", "cat", media_type="image/webp")

    assert upload == pickle.loads(pickle.dumps(upload))
    assert (upload.filename, upload.media_type) == ("cat", "image/webp")
    assert Upload.from_url("https://host/").filename == "upload"


def test_a_mask_must_be_at_hand() -> None:
    """A mask behind a link can't be checked before it is sent."""
    with pytest.raises(ValueError, match="is elsewhere"):
        Mask.from_upload(Upload.from_url("https://host/mask.png"))
