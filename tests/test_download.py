"""Downloads over real sockets: a whole image under its name, or nothing."""

# ruff: noqa: ASYNC240  # a test may wait for the disk

from __future__ import annotations

import asyncio
import gzip
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from ideogram_async import (
    DownloadError,
    IdeogramClient,
    ImageObject,
    RetryPolicy,
    StatusError,
)

from .servers import (
    PNG,
    Act,
    Server,
    Visit,
    answer,
    client_of,
    closed_port,
    drip,
    fail,
    hang_up,
    redirect,
    refuse,
    reply,
    reset_after_body,
    reset_before_body,
    reset_during_answer,
    serving,
    silence,
    until,
    write_raw,
)


PICTURE = PNG * 300
"""About 600 kB, so that it comes in several pieces."""

AS_PNG = {"Content-Type": "image/png"}


async def failure_of(
    client: IdeogramClient, image: ImageObject | str, path: Path
) -> DownloadError:
    """Download what can't be had; see that nothing came of it."""
    before = sorted(path.parent.iterdir()) if path.parent.is_dir() else None
    with pytest.raises(DownloadError) as caught:
        await client.download(image, path)
    if before is not None:
        assert sorted(path.parent.iterdir()) == before
    return caught.value


# What comes out well


async def test_whole_image(tmp_path: Path) -> None:
    """An image is saved under its name, byte by byte as it came, and nothing else."""
    async with serving(reply(PICTURE, AS_PNG)) as (server, client):
        path = await client.download(f"{server.url}/cat.png", tmp_path / "cat.png")

    assert path == tmp_path / "cat.png"
    assert path.read_bytes() == PICTURE
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    [PNG, b"\xff\xd8\xff\xe0" + bytes(50), b"GIF89a" + bytes(50), b"RIFF1234WEBPVP8 "],
    ids=["png", "jpeg", "gif", "webp"],
)
async def test_kinds_of_images(content: bytes, tmp_path: Path) -> None:
    """Every format of the service is an image, whatever type the header names."""
    headers = {"Content-Type": "application/octet-stream"}
    async with serving(reply(content, headers)) as (server, client):
        path = await client.download(server.url, tmp_path / "cat")

    assert path.read_bytes() == content


async def test_image_of_an_answer(tmp_path: Path) -> None:
    """An image of an answer is downloaded from its link, and the folder is made."""
    image = reply(PICTURE, AS_PNG)
    target = tmp_path / "new" / "folder" / "cat.png"
    async with (
        Server(image) as images,
        serving(answer(url=images.url)) as (_, client),
    ):
        response = await client.generate("a cat")
        await client.download(response.data[0], str(target))

    assert target.read_bytes() == PICTURE


async def test_file_is_replaced(tmp_path: Path) -> None:
    """A file that was there before is replaced as a whole."""
    path = tmp_path / "cat.png"
    path.write_bytes(b"old")
    async with serving(reply(PICTURE)) as (server, client):
        await client.download(server.url, path)

    assert path.read_bytes() == PICTURE


async def test_unknown_length(tmp_path: Path) -> None:
    """An image of unannounced length is whole when its last chunk has come."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(PNG), PNG)
    async with serving(write_raw(head + body)) as (server, client):
        path = await client.download(server.url, tmp_path / "cat.png")

    assert path.read_bytes() == PNG


@pytest.mark.parametrize(
    "name", ["\N{CAT FACE}" * 62, "猫" * 80 + ".png", "n" * 255], ids=["4", "3", "1"]
)
async def test_long_names(name: str, tmp_path: Path) -> None:
    """A name as long as the file system allows is no hindrance."""
    async with serving(reply(PNG)) as (server, client):
        path = await client.download(server.url, tmp_path / name)

    assert path.name == name
    assert path.read_bytes() == PNG


async def test_nothing_under_the_name_before_the_end(tmp_path: Path) -> None:
    """While the image comes, there is a hidden file beside, and none by its name."""
    path = tmp_path / "cat.png"
    async with serving(drip(PNG[:300], pause=0.001)) as (server, client):
        task = asyncio.create_task(client.download(server.url, path))
        await until(lambda: list(tmp_path.iterdir()))
        (found,) = tmp_path.iterdir()
        await task

    assert found != path
    assert found.name.startswith(".")
    assert list(tmp_path.iterdir()) == [path]


# What is tried again

ENDED = PICTURE + b"\x00\x00\x00\x00IEND\xaeB`\x82"
"""A picture with the end that every PNG has."""

UNMEASURED = b"HTTP/1.1 200 OK\r\n\r\n"
YESTERDAY = "Fri, 20 Nov 2026 08:49:37 GMT"


@pytest.mark.parametrize(
    "cut",
    [
        write_raw(UNMEASURED + ENDED[:9000]),
        reply(gzip.compress(ENDED)[:-100], {"Content-Encoding": "gzip"}),
    ],
    ids=["without a length", "packed"],
)
async def test_cut_off_where_http_does_not_tell(cut: Act, tmp_path: Path) -> None:
    """A PNG without its end is fetched again, though HTTP says that all has come."""
    async with serving(cut, reply(ENDED)) as (server, client):
        path = await client.download(server.url, tmp_path / "cat.png")

    assert path.read_bytes() == ENDED
    assert len(server.requests) == 2
    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "act",
    [
        write_raw(UNMEASURED + ENDED),
        reply(gzip.compress(ENDED), {"Content-Encoding": "gzip"}),
        write_raw(UNMEASURED + b"GIF89a" + bytes(50)),
    ],
    ids=["without a length", "packed", "no PNG"],
)
async def test_whole_where_http_does_not_tell(act: Act, tmp_path: Path) -> None:
    """A PNG with its end is whole; of other images the end is not known."""
    async with serving(act) as (server, client):
        await client.download(server.url, tmp_path / "cat")

    assert len(server.requests) == 1


async def test_a_date_to_come_again(tmp_path: Path) -> None:
    """A refusal that names a date, and shows no clock of its own, is held to ours."""
    busy = refuse(503, headers={"Retry-After": YESTERDAY})
    async with serving(busy, reply(PICTURE)) as (server, client):
        await client.download(server.url, tmp_path / "cat.png")

    assert len(server.requests) == 2


PASSING: dict[str, Act] = {
    "cut off": reply(PICTURE[:1000], length=len(PICTURE)),
    "cut off in a chunk": write_raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + PNG[:50]
    ),
    "reset in the middle": reset_during_answer,
    "reset": reset_after_body,
    "closed": hang_up,
    "500": fail(500),
    "503": refuse(503),
    "503 with Retry-After": refuse(503, headers={"Retry-After": "0"}),
    "429": refuse(429),
}


@pytest.mark.parametrize("act", PASSING.values(), ids=PASSING.keys())
async def test_tried_again(act: Act, tmp_path: Path) -> None:
    """What may be better next time is tried again, and the file is whole."""
    async with serving(act, reply(PICTURE)) as (server, client):
        path = await client.download(server.url, tmp_path / "cat.png")

    assert path.read_bytes() == PICTURE
    assert list(tmp_path.iterdir()) == [path]
    assert len(server.requests) == 2


@pytest.mark.parametrize("act", PASSING.values(), ids=PASSING.keys())
async def test_tried_in_vain(act: Act, tmp_path: Path) -> None:
    """What never gets better ends as an error after the policy's attempts."""
    async with serving(act) as (server, client):
        error = await failure_of(client, server.url, tmp_path / "cat.png")

    assert "could not be downloaded" in str(error) or "not an image" in str(error)
    assert 3 <= len(server.requests) <= 6  # aiohttp repeats a GET on its own


async def test_host_that_is_not_found(tmp_path: Path) -> None:
    """A host that is not found is an error of the download."""
    async with client_of("http://127.0.0.1:1") as client:
        url = "http://images.invalid/cat.png"
        error = await failure_of(client, url, tmp_path / "cat.png")

    assert "no connection" in str(error)


async def test_host_that_is_down(tmp_path: Path) -> None:
    """A host that refuses connections is an error of the download."""
    async with client_of("http://127.0.0.1:1") as client:
        url = f"http://127.0.0.1:{closed_port()}"
        error = await failure_of(client, url, tmp_path / "cat.png")

    assert "no connection" in str(error)


# What is not


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html>Sorry</html>",
        b'{"error": "gone"}',
        b"",
        b"\x89PN",
        b"PK\x03\x04" + bytes(100),
        b"<html>" * 100_000,
    ],
    ids=["html", "json", "empty", "too short", "zip", "long html"],
)
async def test_not_an_image(content: bytes, tmp_path: Path) -> None:
    """A page that comes as a success is no image, even if the header says so."""
    async with serving(reply(content, AS_PNG)) as (server, client):
        error = await failure_of(client, server.url, tmp_path / "cat.png")

    assert "not an image" in str(error)
    assert len(server.requests) == 1


async def test_not_an_image_leaves_the_old_file(tmp_path: Path) -> None:
    """A file that was there before stays as it was when the download fails."""
    path = tmp_path / "cat.png"
    path.write_bytes(b"old")
    async with serving(reply(b"<html>")) as (server, client):
        await failure_of(client, server.url, path)

    assert path.read_bytes() == b"old"


async def test_too_large(tmp_path: Path) -> None:
    """An image above the greatest size is given up, and leaves nothing behind."""
    path, size = tmp_path / "cat.png", len(PICTURE)
    async with serving(reply(PICTURE)) as (server, client):
        with pytest.raises(DownloadError, match=f"{size - 1} bytes: raise max_bytes"):
            await client.download(server.url, path, max_bytes=size - 1)
        assert list(tmp_path.iterdir()) == []
        assert len(server.requests) == 1
        await client.download(server.url, path, max_bytes=size)

    assert path.read_bytes() == PICTURE


async def test_files_are_deleted_in_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To delete what came of an image may take long, and never holds the event loop."""
    threads: list[threading.Thread] = []
    unlink = os.unlink

    def watched(path: Path) -> None:
        threads.append(threading.current_thread())
        unlink(path)

    monkeypatch.setattr(os, "unlink", watched)
    once = RetryPolicy(attempts=1)
    async with serving(reset_during_answer, retry=once) as (server, client):
        await failure_of(client, server.url, tmp_path / "cat.png")

    assert len(threads) == 1
    assert threading.main_thread() not in threads


def link(server: Server, expires_in: float) -> str:
    """Return a link as the service makes them."""
    moment = datetime.now(UTC) + timedelta(seconds=expires_in)
    return f"{server.url}/cat.png?exp={int(moment.timestamp())}&sig=0"


@pytest.mark.parametrize("status", [400, 403, 404, 410])
async def test_link_expired(status: int, tmp_path: Path) -> None:
    """A refused link whose time is over is called expired, and is not tried again."""
    async with serving(refuse(status)) as (server, client):
        error = await failure_of(client, link(server, -60), tmp_path / "cat.png")

    assert "the link expired at 20" in str(error)
    assert isinstance(error.__cause__, StatusError)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [403, 404])
async def test_link_refused(status: int, tmp_path: Path) -> None:
    """A refused link whose time is not over is not called expired."""
    async with serving(refuse(status)) as (server, client):
        error = await failure_of(client, link(server, 60), tmp_path / "cat.png")
        other = await failure_of(client, f"{server.url}?exp=soon", tmp_path / "cat.png")

    for each in (error, other):
        assert "could not be downloaded" in str(each)
        assert str(status) in str(each)
    assert len(server.requests) == 2


async def test_link_that_outlives_its_time(tmp_path: Path) -> None:
    """A link is tried whatever time it names: clocks differ."""
    async with serving(reply(PICTURE)) as (server, client):
        path = await client.download(link(server, -60), tmp_path / "cat.png")

    assert path.read_bytes() == PICTURE


@pytest.mark.parametrize("url", [None, ""])
async def test_withheld(url: str | None, tmp_path: Path) -> None:
    """An image without a link is an error that says why, without any I/O."""
    async with serving() as (server, client):
        image = ImageObject(url=url, is_image_safe=False)
        error = await failure_of(client, image, tmp_path / "new" / "cat.png")

    assert "withheld" in str(error)
    assert server.connections == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    ["cat.png", "ftp://127.0.0.1/cat.png", "http://", "http://127.0.0.1:99999/cat.png"],
)
async def test_link_that_is_none(url: str, tmp_path: Path) -> None:
    """What is no web address is an error at once."""
    patient = RetryPolicy(wait_initial=60, wait_max=60)
    async with client_of("http://127.0.0.1:1", retry=patient) as client:
        with anyio.fail_after(2):
            error = await failure_of(client, url, tmp_path / "cat.png")

    assert "no such address" in str(error)


# Redirects, and the key


async def test_redirect_to_another_host(tmp_path: Path) -> None:
    """A link may lead to another host; the key goes to neither of them."""
    async with (
        Server(reply(PICTURE)) as storage,
        serving(redirect(storage.url, status=302)) as (server, client),
    ):
        path = await client.download(server.url, tmp_path / "cat.png")

    assert path.read_bytes() == PICTURE
    for seen in (*server.requests, *storage.requests):
        assert b"secret" not in seen.head
        assert "api-key" not in seen.headers


async def test_key_is_not_sent_to_the_own_host(tmp_path: Path) -> None:
    """A download carries no key, even where the link is on the service's own host."""
    async with serving(answer(), reply(PICTURE)) as (server, client):
        await client.generate("a cat")
        await client.download(f"{server.url}/cat.png", tmp_path / "cat.png")

    sent, fetched = server.requests
    assert sent.headers["api-key"] == "secret"
    assert b"secret" not in fetched.head


async def test_redirects_without_end(tmp_path: Path) -> None:
    """A link that leads back to itself is an error."""
    async with serving(redirect("/again", status=302)) as (server, client):
        error = await failure_of(client, server.url, tmp_path / "cat.png")

    assert "could not be downloaded" in str(error)


async def test_redirect_to_a_file(tmp_path: Path) -> None:
    """A link that leads to a local file is an error, and not read."""
    picture = tmp_path / "mine.png"
    picture.write_bytes(PNG)
    target = picture.as_uri()
    async with serving(redirect(target, status=302)) as (server, client):
        error = await failure_of(client, server.url, tmp_path / "cat.png")

    assert "could not be downloaded" in str(error)


# Files that can't be written


async def test_folder_that_is_a_file(tmp_path: Path) -> None:
    """A folder that can't be made is an error that names the file."""
    (tmp_path / "folder").write_bytes(b"")
    async with serving(reply(PNG)) as (server, client):
        path = tmp_path / "folder" / "cat.png"
        error = await failure_of(client, server.url, path)

    assert f"can't write {path}" in str(error)
    assert server.requests == []


async def test_folder_that_is_not_ours() -> None:
    """A folder where nobody may write is an error."""
    async with serving(reply(PNG)) as (server, client):
        error = await failure_of(client, server.url, Path("/proc/nowhere/cat.png"))

    assert "can't write" in str(error)


async def test_name_that_is_a_folder(tmp_path: Path) -> None:
    """A folder is not replaced by an image."""
    path = tmp_path / "cat.png"
    path.mkdir()
    async with serving(reply(PNG)) as (server, client):
        error = await failure_of(client, server.url, path)

    assert "can't write" in str(error)
    assert path.is_dir()


async def test_name_that_is_too_long(tmp_path: Path) -> None:
    """A name that the file system doesn't take is an error."""
    async with serving(reply(PNG)) as (server, client):
        error = await failure_of(client, server.url, tmp_path / ("n" * 300))

    assert "can't write" in str(error)


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file grow above 100,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_disk_that_is_full(tmp_path: Path) -> None:
    """A file that can't be written to its end leaves nothing behind."""
    async with serving(reply(PICTURE)) as (server, client):
        with full_disk():
            error = await failure_of(client, server.url, tmp_path / "cat.png")

    assert "can't write" in str(error)
    assert len(server.requests) == 1


# Ends from outside


async def test_cancelled(tmp_path: Path) -> None:
    """A download that is cancelled leaves nothing behind."""
    async with serving(drip(PICTURE, pause=0.001)) as (server, client):
        task = asyncio.create_task(client.download(server.url, tmp_path / "cat.png"))
        await until(lambda: list(tmp_path.iterdir()))
        await anyio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert list(tmp_path.iterdir()) == []


async def test_deadline(tmp_path: Path) -> None:
    """A download that takes too long ends at the deadline and leaves nothing."""
    async with serving(drip(PICTURE, pause=0.001), deadline=0.2) as (server, client):
        with anyio.fail_after(5):
            error = await failure_of(client, server.url, tmp_path / "cat.png")

    assert "deadline passed" in str(error)
    assert len(server.requests) == 1


async def test_deadline_between_attempts(tmp_path: Path) -> None:
    """The deadline ends also the wait between attempts."""
    patient = RetryPolicy(wait_initial=60, wait_max=60)
    async with serving(hang_up, retry=patient, deadline=0.2) as (server, client):
        error = await failure_of(client, server.url, tmp_path / "cat.png")

    assert "deadline passed" in str(error)


# A few at a time


async def test_downloads_are_limited(tmp_path: Path) -> None:
    """Of many downloads a few run at once, and they take no places of requests."""
    in_use: list[int] = []

    async def act(visit: Visit) -> None:
        in_use.append(client.limiter.in_use)
        await visit.run(seconds=0.02)
        visit.send(200, PNG)

    async with serving(act) as (server, client), anyio.create_task_group() as group:
        for number in range(30):
            path = tmp_path / f"{number}.png"
            group.start_soon(client.download, server.url, path)

    assert server.peak == 8
    assert len(list(tmp_path.iterdir())) == 30
    assert set(in_use) == {0}


async def test_downloads_while_all_places_are_in_use(tmp_path: Path) -> None:
    """A download never waits for a place, so that it can't block a batch."""
    async with (
        Server(reply(PICTURE)) as images,
        serving(silence) as (server, client),
        client.stream_many(["a cat"] * 10),
    ):
        await until(lambda: server.ran == 10)
        with anyio.fail_after(5):
            path = await client.download(images.url, tmp_path / "cat.png")

    assert path.read_bytes() == PICTURE


async def test_same_name_twice_at_once(tmp_path: Path) -> None:
    """Two downloads to one name leave one whole file."""
    async with serving(drip(PNG[:200], pause=0.001), reply(PICTURE)) as (
        server,
        client,
    ):
        path = tmp_path / "cat.png"
        await asyncio.gather(
            client.download(server.url, path), client.download(server.url, path)
        )

    assert path.read_bytes() in (PNG[:200], PICTURE)
    assert list(tmp_path.iterdir()) == [path]


async def test_failed_downloads_free_their_places(tmp_path: Path) -> None:
    """More failures than places don't block the next download."""
    acts = [*[refuse(404)] * 20, reset_before_body, reply(PICTURE)]
    async with serving(*acts) as (server, client):
        for _ in range(20):
            await failure_of(client, server.url, tmp_path / "cat.png")
        with anyio.fail_after(5):
            path = await client.download(server.url, tmp_path / "cat.png")

    assert path.read_bytes() == PICTURE
