"""Uploads over real sockets: streamed, measured, and never sent in part as a whole."""

from __future__ import annotations

import asyncio
import io
import os
import pickle
import re
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from ideogram_async import (
    ConnectionFailedError,
    GenerateV3,
    OutcomeUnknownError,
    RateLimitError,
    RemixV3,
    RetryPolicy,
    TransportError,
    Upload,
)
from ideogram_async._http import HttpRequest, HttpResponse, Part
from ideogram_async._transport import Transport

from .servers import (
    PNG,
    Act,
    Seen,
    Server,
    Visit,
    answer,
    client_of,
    closed_port,
    refuse,
    reset_after_body,
    serving,
)


PICTURE = PNG * 400
"""About 800 kB: several pieces of a stream."""

BUSY = refuse(429, headers={"Retry-After": "0"})


def remix(image: Upload) -> RemixV3:
    """Return a request that carries *image*."""
    return RemixV3("a cat", image=image)


def parts(seen: Seen) -> dict[str, tuple[bytes, bytes]]:
    """Return header and content of each part of a form, read by the book."""
    boundary = seen.headers["content-type"].split("boundary=")[1].encode()
    first, *middle, last = (b"\r\n" + seen.body).split(b"\r\n--" + boundary)
    assert first == b""
    assert last == b"--\r\n"
    found: dict[str, tuple[bytes, bytes]] = {}
    for part in middle:
        head, content = part.split(b"\r\n\r\n", 1)
        match = re.search(rb'name="([^"]*)"', head)
        assert match is not None
        found[match[1].decode()] = head, content
    return found


async def pieces(content: bytes, size: int = 100_000) -> AsyncGenerator[bytes]:
    """Yield *content* in pieces."""
    for start in range(0, len(content), size):
        await anyio.lowlevel.checkpoint()
        yield content[start : start + size]


async def send(act: Act, upload: Upload) -> tuple[HttpResponse, Seen]:
    """Send an upload of any size as one step, without the limits of request classes."""
    transport = Transport()
    async with Server(act) as server:
        part = Part("file", upload, upload.media_type)
        step = HttpRequest("POST", f"{server.url}/upload", form=(part,))
        try:
            response = await transport.send(step, 30)
        finally:
            await transport.aclose()
    return response, server.requests[-1]


# Forms


async def test_form_without_files() -> None:
    """A form without files is one piece of known length."""
    request = GenerateV3("una gata 猫\r\n--x", num_images=2, style_codes=("0123abcd",))
    async with serving(answer()) as (server, client):
        await client.send(request)

    (seen,) = server.requests
    assert seen.headers["content-length"] == str(len(seen.body))
    assert {name: content.decode() for name, (_, content) in parts(seen).items()} == {
        "prompt": "una gata 猫\r\n--x",
        "num_images": "2",
        "style_codes": "0123abcd",
    }


async def test_step_without_a_body() -> None:
    """A step without a body announces none."""
    transport = Transport()
    async with Server(answer()) as server:
        await transport.send(HttpRequest("GET", f"{server.url}/models"), 5)
        await transport.aclose()

    (seen,) = server.requests
    assert seen.method == "GET"
    assert "content-type" not in seen.headers
    assert "transfer-encoding" not in seen.headers


async def test_step_with_content() -> None:
    """Content is sent as it is, with the type that the step names."""
    transport = Transport()
    async with Server(answer()) as server:
        headers = {"Content-Type": "application/json"}
        step = HttpRequest("POST", server.url, headers=headers, content=b'{"a":1}')
        await transport.send(step, 5)
        await transport.aclose()

    (seen,) = server.requests
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["content-length"] == "7"
    assert seen.body == b'{"a":1}'


def from_bytes(tmp_path: Path) -> Upload:
    """Make an upload of bytes."""
    return Upload.from_bytes(PICTURE, "cat.png")


def from_path(tmp_path: Path) -> Upload:
    """Make an upload of a file's path."""
    (tmp_path / "cat.png").write_bytes(PICTURE)
    return Upload.from_path(tmp_path / "cat.png")


def from_memory(tmp_path: Path) -> Upload:
    """Make an upload of a rewindable stream that stands in its middle."""
    stream = io.BytesIO(b"before" + PICTURE)
    stream.seek(6)
    return Upload.from_stream(stream, "cat.png")


MEASURED = pytest.mark.parametrize("make", [from_bytes, from_path, from_memory])


@MEASURED
async def test_length_is_exact(make: Any, tmp_path: Path) -> None:
    """Where the length is known it is announced, and nothing is sent in chunks."""
    async with serving(answer()) as (server, client):
        await client.send(remix(make(tmp_path)))

    (seen,) = server.requests
    assert seen.headers["content-length"] == str(seen.size)
    assert "transfer-encoding" not in seen.headers
    head, content = parts(seen)["image"]
    assert content == PICTURE
    assert b'filename="cat.png"' in head
    assert b"Content-Type: image/png" in head
    assert parts(seen)["prompt"][1] == b"a cat"


@MEASURED
async def test_sent_again_as_a_whole(make: Any, tmp_path: Path) -> None:
    """After a refusal a file is sent again from its start."""
    async with serving(BUSY, answer()) as (server, client):
        await client.send(remix(make(tmp_path)))

    assert [parts(seen)["image"][1] for seen in server.requests] == [PICTURE] * 2


@MEASURED
async def test_one_upload_in_many_requests(make: Any, tmp_path: Path) -> None:
    """One upload may be in several requests at the same time."""
    upload = make(tmp_path)
    async with serving(answer()) as (server, client):
        batch = await client.send_many([remix(upload)] * 5)

    assert batch.failures == []
    assert [parts(seen)["image"][1] for seen in server.requests] == [PICTURE] * 5


async def test_several_files() -> None:
    """Several files and their types are each a part of the form."""
    request = GenerateV3(
        "a cat",
        style_reference_images=(
            Upload.from_bytes(PNG, "one.png"),
            Upload.from_bytes(b"\xff\xd8\xff" + bytes(9), "two.jpg"),
        ),
    )
    async with serving(answer()) as (server, client):
        await client.send(request)

    (seen,) = server.requests
    assert seen.body.count(b'name="style_reference_images"') == 2
    assert b'filename="one.png"\r\nContent-Type: image/png' in seen.body
    assert b'filename="two.jpg"\r\nContent-Type: image/jpeg' in seen.body


async def test_name_that_would_break_the_form() -> None:
    """A file's name can't break out of its header."""
    upload = Upload.from_bytes(PNG, 'a"; name="prompt"\r\nX-Evil: 1')
    async with serving(answer()) as (server, client):
        await client.send(remix(upload))

    assert sorted(parts(server.requests[0])) == ["image", "prompt"]


# Streams that come once


def once(content: bytes = PICTURE) -> Upload:
    """Make an upload that can be read once."""
    return Upload.from_stream(pieces(content), "cat.png", media_type="image/png")


async def test_stream_of_unknown_length() -> None:
    """A stream of unknown length is sent in chunks."""
    async with serving(answer()) as (server, client):
        await client.send(remix(once()))

    (seen,) = server.requests
    assert seen.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in seen.headers
    assert parts(seen)["image"][1] == PICTURE


async def test_stream_with_empty_pieces() -> None:
    """An empty piece of a stream is not its end."""

    async def with_gaps() -> AsyncIterator[bytes]:
        for piece in (b"", PNG, b"", b"the rest", b""):
            yield piece

    upload = Upload.from_stream(with_gaps(), media_type="image/png")
    async with serving(answer()) as (server, client):
        await client.send(remix(upload))

    assert parts(server.requests[0])["image"][1] == PNG + b"the rest"


async def test_pipe() -> None:
    """A pipe is read to its end, and sent in chunks."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as sink:
        sink.write(PNG)
    with os.fdopen(reading, "rb") as pipe:
        upload = Upload.from_stream(pipe, "cat.png", media_type="image/png")
        async with serving(answer()) as (server, client):
            await client.send(remix(upload))

    (seen,) = server.requests
    assert seen.headers["transfer-encoding"] == "chunked"
    assert parts(seen)["image"][1] == PNG


async def test_stream_is_not_sent_twice() -> None:
    """What can be read once is not sent again, even after a plain refusal."""
    async with serving(BUSY, answer()) as (server, client):
        with pytest.raises(RateLimitError):
            await client.send(remix(once()))

    assert len(server.requests) == 1


async def test_stream_is_not_sent_by_a_second_request() -> None:
    """A stream that was used up is an error, and not an empty file that is paid."""
    request = remix(once())
    async with serving(answer()) as (server, client):
        await client.send(request)
        with pytest.raises(TransportError, match=r"cat\.png") as caught:
            await client.send(request)

    assert caught.value.delivery == "not_sent"
    assert len(server.requests) == 1


async def test_stream_in_two_requests_at_once() -> None:
    """Of two requests with one stream, one gets it as a whole, and the other fails."""
    request = remix(once())
    async with serving(answer()) as (server, client):
        batch = await client.send_many([request, request])

    (failure,) = batch.failures
    assert isinstance(failure.error, TransportError)
    assert failure.error.delivery == "not_sent"
    (whole,) = [seen for seen in server.requests if seen.is_whole]
    assert parts(whole)["image"][1] == PICTURE


async def test_stream_after_pickling() -> None:
    """A stream doesn't go with a pickle, and is missed before anything is sent."""
    request = pickle.loads(pickle.dumps(remix(once())))
    async with serving(answer()) as (server, client):
        with pytest.raises(TransportError, match="pickling"):
            await client.send(request)

    assert server.requests == []


async def test_stream_waits_for_a_connection() -> None:
    """A stream that was not begun is kept for the next attempt."""
    url = f"http://127.0.0.1:{closed_port()}"
    request = remix(once())
    async with client_of(url) as client:
        (failure,) = (await client.send_many([request])).failures
    async with serving(answer()) as (server, client):
        await client.send(request)

    assert isinstance(failure.error, ConnectionFailedError)
    assert failure.attempts == 3
    assert parts(server.requests[0])["image"][1] == PICTURE


async def test_stream_that_breaks() -> None:
    """A stream that raises in its middle leaves a request that can't have run."""

    async def breaking() -> AsyncIterator[bytes]:
        yield PNG
        raise LookupError("the source is gone")

    upload = Upload.from_stream(breaking(), "cat.png", media_type="image/png")
    async with serving(answer()) as (server, client):
        with pytest.raises(TransportError, match="the source is gone") as caught:
            await client.send(remix(upload))

    assert type(caught.value) is TransportError
    assert caught.value.delivery == "not_sent"
    assert server.ran == 0


async def test_stream_that_is_gone() -> None:
    """A closed stream is an error before anything is sent."""
    stream = io.BytesIO(PICTURE)
    upload = Upload.from_stream(stream, "cat.png")
    stream.close()
    async with serving(answer()) as (server, client):
        with pytest.raises(TransportError, match="closed file") as caught:
            await client.send(remix(upload))

    assert caught.value.delivery == "not_sent"
    assert server.requests == []


# Files that change or vanish


async def test_file_that_vanishes(tmp_path: Path) -> None:
    """A file that is gone when it is to be sent is an error, and nothing is sent."""
    upload = from_path(tmp_path)
    (tmp_path / "cat.png").unlink()
    async with serving(answer()) as (server, client):
        with pytest.raises(TransportError, match="No such file") as caught:
            await client.send(remix(upload))

    assert caught.value.delivery == "not_sent"
    assert "cat.png" in str(caught.value)
    assert server.requests == []


def test_file_that_is_missing(tmp_path: Path) -> None:
    """A missing file is an error when the upload is made."""
    with pytest.raises(FileNotFoundError):
        Upload.from_path(tmp_path / "cat.png")


async def test_file_that_vanishes_between_attempts(tmp_path: Path) -> None:
    """A file that is gone at the second attempt ends the attempts."""
    upload = from_path(tmp_path)

    async def refuse_and_remove(visit: Visit) -> None:
        await BUSY(visit)
        (tmp_path / "cat.png").unlink()

    async with serving(refuse_and_remove, answer()) as (server, client):
        with pytest.raises(TransportError, match="No such file") as caught:
            await client.send(remix(upload))

    assert caught.value.delivery == "not_sent"
    assert len(server.requests) == 1
    assert server.ran == 0


async def test_folder_is_no_file(tmp_path: Path) -> None:
    """A folder that took the place of a file is an error, and nothing is sent."""
    upload = from_path(tmp_path)
    (tmp_path / "cat.png").unlink()
    (tmp_path / "cat.png").mkdir()
    async with serving(answer()) as (server, client):
        with pytest.raises(TransportError, match="directory") as caught:
            await client.send(remix(upload))

    assert caught.value.delivery == "not_sent"
    assert server.requests == []


BIG = 32 * 1024 * 1024
"""More than all buffers between the client and a server that does not read."""


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """Make a big file that takes no room on the disk."""
    path = tmp_path / "big.png"
    path.write_bytes(PNG)
    os.truncate(path, BIG)
    return path


async def test_file_cut_while_it_is_sent(big: Path) -> None:
    """A file that gets shorter while it is sent ends at once, and can't have run."""

    async def cut(visit: Visit) -> None:
        os.truncate(big, len(PNG))
        await visit.run()
        raise AssertionError("it came as a whole")  # pragma: no cover

    with anyio.fail_after(5), pytest.raises(TransportError, match="came of") as caught:
        await send(cut, Upload.from_path(big))

    assert type(caught.value) is TransportError
    assert caught.value.delivery == "not_sent"


class Shrinking(io.BytesIO):
    """A file that ends behind the first piece that is read of it."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and cut off the rest unless that was the look at the first bytes."""
        piece = super().read(size)
        if len(piece) > 16:
            self.truncate(self.tell())
        return piece


async def test_file_cut_is_not_sent_again() -> None:
    """A file that gets shorter is not sent again, whatever the policy says."""
    resending = RetryPolicy(wait_initial=0, resend_unknown=True)
    upload = Upload.from_stream(Shrinking(PICTURE), "cat.png")
    async with serving(answer(), retry=resending) as (server, client):
        with pytest.raises(TransportError, match="came of") as caught:
            await client.send(remix(upload))

    assert caught.value.delivery == "not_sent"
    assert len(server.requests) <= 1
    assert server.ran == 0


async def test_file_that_grows(big: Path) -> None:
    """A file that grows while it is sent is sent as long as it was announced."""

    async def grow(visit: Visit) -> None:
        os.truncate(big, 2 * BIG)
        await visit.read(keep=False)
        visit.send(200)

    response, seen = await send(grow, Upload.from_path(big))

    assert response.status == 200
    assert str(seen.size) == seen.headers["content-length"]


@pytest.mark.slow
async def test_upload_takes_little_memory(tmp_path: Path) -> None:
    """A file of 200 MB is streamed, a quarter of a megabyte at a time."""
    path = tmp_path / "big.zip"
    path.write_bytes(b"PK\x03\x04")
    os.truncate(path, 200 * 1024 * 1024)

    async def swallow(visit: Visit) -> None:
        await visit.read(keep=False)
        visit.send(200)

    tracemalloc.start()
    try:
        _, seen = await send(swallow, Upload.from_path(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert seen.size > 200 * 1024 * 1024
    assert peak < 8 * 1024 * 1024


# Answers that come before the end of the body


@pytest.mark.parametrize("status", [413, 429])
async def test_refused_at_the_head(status: int, big: Path) -> None:
    """A refusal that comes before the body is an answer, and the rest is not sent."""

    async def refuse_early(visit: Visit) -> None:
        visit.send(status, b"no")
        await visit.writer.drain()
        await asyncio.sleep(0.2)
        visit.writer.close()

    with anyio.fail_after(5):
        response, seen = await send(refuse_early, Upload.from_path(big))

    assert response.status == status
    assert response.body == b"no"
    assert not seen.is_whole


async def test_reset_during_a_big_upload(big: Path) -> None:
    """A connection that is lost during the upload is lost, and the file is closed."""

    async def reset(visit: Visit) -> None:
        await visit.read(keep=False, at_most=1_000_000)
        visit.reset()

    with pytest.raises(TransportError, match="lost") as caught:
        await send(reset, Upload.from_path(big))

    assert caught.value.delivery == "unknown"


async def test_cancelled_during_a_big_upload(big: Path) -> None:
    """An upload that is cancelled ends at once, and the file is closed."""

    async def stall(visit: Visit) -> None:
        await visit.read(keep=False, at_most=1_000_000)
        begun.set()
        await asyncio.sleep(5)

    begun = anyio.Event()
    task = asyncio.create_task(send(stall, Upload.from_path(big)))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_unknown_with_a_stream() -> None:
    """A lost answer to a stream is unknown, and not sent again even if asked for."""
    resending = RetryPolicy(wait_initial=0, resend_unknown=True)
    async with serving(reset_after_body, answer(), retry=resending) as (server, client):
        with pytest.raises(OutcomeUnknownError):
            await client.send(remix(once()))

    assert len(server.requests) == 1
