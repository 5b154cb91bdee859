"""Links into private networks: refused as they are connected to, unless allowed."""

# ruff: noqa: ASYNC240  # a test may wait for the disk

from __future__ import annotations

import asyncio
import gzip
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ideogram_async import (
    DownloadError,
    IdeogramClient,
    RemixV3,
    RetryPolicy,
    TransportError,
    Upload,
)
from ideogram_async._links import is_public
from ideogram_async.cli._commands import _client
from ideogram_async.cli._parser import parser
from ideogram_async.providers import Ideogram, Pixazo

from .proxy import Proxy
from .servers import PNG, QUICK, Server, answer, client_of, redirect, reply, serving


PUBLIC = "https://service.invalid"
"""An address of a service that is not private."""
PATIENT = RetryPolicy(wait_initial=60, wait_max=60)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1"),
        *("192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "239.1.2.3"),
        *("240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1"),
        *("fec0::1", "2001:db8::1", "2001:0:7f00:1::", "::127.0.0.1", "::8.8.8.8"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
        *("2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::", "2002:a9fe:a9fe::"),
        *("64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe"),
        *("64:ff9b:1::1", "::ffff:224.0.0.1", "4000::1"),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    """Private, local, shared, multicast and reserved ones, also wrapped in IPv6."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "104.18.0.1", "2606:4700::1111", "2a00:1450:4001::1"),
        *("::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808"),
    ],
)
def test_addresses_that_are_public(address: str) -> None:
    """Hosts on the Internet, also behind the translators of IPv6-only networks."""
    assert is_public(address)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Return the addresses of names; each look-up takes the first, but not the last."""
    known: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: Any, *args: Any, **options: Any) -> Any:
        addresses = known.get(host)
        if addresses is None:
            return real(host, port, *args, **options)
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


async def refused(client: IdeogramClient, url: str, folder: Path) -> None:
    """See that a link is refused at once, and says what to do."""
    with pytest.raises(DownloadError, match="not a public address") as caught:
        await client.download(url, folder / "cat.png")

    assert "allow_private_links=True" in str(caught.value)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_link_to_this_machine(host: str, tmp_path: Path) -> None:
    """The real service's links never lead to this machine: nothing is connected to."""
    async with Server(reply(PNG)) as server, client_of(PUBLIC, retry=PATIENT) as client:
        await refused(client, f"http://{host}:{server.port}/cat.png", tmp_path)

    assert server.connections == 0


async def test_other_writings_of_an_address(tmp_path: Path) -> None:
    """An address in a writing that only some programs know is no way around."""
    async with Server(reply(PNG)) as server, client_of(PUBLIC, retry=QUICK) as client:
        for host in ("2130706433", "127.1", "0x7f.1", "[::ffff:127.0.0.1]"):
            url = f"http://{host}:{server.port}/cat.png"
            with pytest.raises(DownloadError):
                await client.download(url, tmp_path / "cat.png")

    assert server.connections == 0


async def test_name_of_a_private_host(
    tmp_path: Path, names: dict[str, list[str]]
) -> None:
    """A name is judged by the address that is connected to."""
    names["images.invalid"] = ["127.0.0.1"]
    async with Server(reply(PNG)) as server, client_of(PUBLIC, retry=PATIENT) as client:
        await refused(client, f"http://images.invalid:{server.port}/", tmp_path)

    assert server.connections == 0


async def test_redirect_to_a_private_host(
    tmp_path: Path, names: dict[str, list[str]]
) -> None:
    """The service's own host is where it is; a redirect from there is judged."""
    names["service.invalid"] = ["127.0.0.1"]
    async with Server(reply(PNG)) as private, Server() as server:
        url = f"http://service.invalid:{server.port}"
        async with client_of(url, retry=PATIENT) as client:
            server._act = reply(PNG)
            await client.download(f"{url}/cat.png", tmp_path / "mine.png")
            (tmp_path / "mine.png").unlink()
            server._act = redirect(private.url, status=302)
            await refused(client, f"{url}/cat.png", tmp_path)

    assert private.connections == 0


async def test_service_on_a_private_address(tmp_path: Path) -> None:
    """Where the service itself is on a private address, so may its links be."""
    async with Server(reply(PNG)) as images, serving() as (_, client):
        await client.download(images.url, tmp_path / "a.png")
    async with Server(reply(PNG)) as images, client_of("http://localhost:1") as client:
        await client.download(images.url, tmp_path / "b.png")


async def test_one_of_several_services_is_private(tmp_path: Path) -> None:
    """Beside a public service, only the private one's own host is open."""
    async with Server(reply(PNG)) as server:
        asked = [Ideogram("key"), Pixazo("key", f"http://localhost:{server.port}")]
        async with IdeogramClient(provider=asked) as client:
            url = f"http://localhost:{server.port}/cat.png"
            await client.download(url, tmp_path / "cat.png")
            (tmp_path / "cat.png").unlink()
            await refused(client, server.url, tmp_path)


async def test_private_links_that_are_allowed(tmp_path: Path) -> None:
    """The option opens private networks."""
    async with (
        Server(reply(PNG)) as server,
        client_of(PUBLIC, allow_private_links=True) as client,
    ):
        path = await client.download(server.url, tmp_path / "cat.png")

    assert path.read_bytes() == PNG


@pytest.mark.parametrize("options", [[], ["--allow-private-links"]])
def test_command_line(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line has the same option."""
    monkeypatch.setenv("IDEOGRAM_API_KEY", "secret")
    with _client(parser().parse_args(["generate", "a cat", *options])) as client:
        links = client._transport._network.links

    assert links.allow_private is bool(options)


async def test_upload_of_a_private_link() -> None:
    """What a private address holds is not sent to the service."""
    async with Server(reply(PNG)) as server, client_of(PUBLIC, retry=PATIENT) as client:
        image = Upload.from_url(f"{server.url}/cat.png")
        with pytest.raises(TransportError, match="not a public address") as caught:
            await client.send(RemixV3("a cat", image=image))

    assert caught.value.delivery == "not_sent"
    assert server.connections == 0


async def test_host_that_is_down_and_public(
    tmp_path: Path, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public host that can't be reached is told of as ever."""
    names["images.invalid"] = ["8.8.8.8"]

    async def unreachable(*_: Any) -> None:
        raise OSError("unreachable")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "sock_connect", unreachable)
    async with client_of(PUBLIC, retry=QUICK) as client:
        with pytest.raises(DownloadError, match="no connection"):
            await client.download("http://images.invalid", tmp_path / "cat.png")


# Sessions and proxies of the caller's own


async def test_session_of_ones_own(tmp_path: Path, names: dict[str, list[str]]) -> None:
    """Where somebody else connects, names are looked up before; its rules stay."""
    seen: list[str] = []

    async def watch(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        seen.append(str(request.url))
        return await handler(request)

    names["images.invalid"] = ["127.0.0.1"]
    async with (
        Server(reply(PNG)) as server,
        aiohttp.ClientSession(middlewares=(watch,)) as session,
        client_of(PUBLIC, session=session, retry=PATIENT) as client,
    ):
        url = f"http://images.invalid:{server.port}/cat.png"
        await refused(client, url, tmp_path)
        await refused(client, f"{server.url}/cat.png", tmp_path)

    assert server.connections == 0
    assert seen == [url, f"{server.url}/cat.png"]


async def test_session_that_knows_names_of_its_own(
    tmp_path: Path, names: dict[str, list[str]]
) -> None:
    """What is found public, or not found, is left to the session."""
    names["images.invalid"] = ["8.8.8.8", "127.0.0.1"]
    async with (
        Server(reply(PNG)) as server,
        aiohttp.ClientSession() as session,
        client_of(PUBLIC, session=session, retry=QUICK) as client,
    ):
        url = f"http://images.invalid:{server.port}/cat.png"
        await client.download(url, tmp_path / "cat.png")
        with pytest.raises(DownloadError, match="no connection"):
            await client.download("http://nobody.invalid", tmp_path / "dog.png")


async def test_through_a_proxy(tmp_path: Path) -> None:
    """The proxy may be private, and looks names up; an address is judged here."""
    async with (
        Proxy() as proxy,
        Server(reply(PNG)) as server,
        client_of(PUBLIC, proxy=proxy.url, retry=PATIENT) as client,
    ):
        for host in ("127.0.0.1", "2130706433", "127.1"):
            url = f"http://{host}:{server.port}/cat.png"
            await refused(client, url, tmp_path)
        url = f"http://localhost:{server.port}/cat.png"
        await client.download(url, tmp_path / "cat.png")

    assert proxy.targets == [f"GET {url}".encode()]


# What is large in small packing


async def test_packed_image(tmp_path: Path) -> None:
    """No packing is asked for; what comes packed counts by its unpacked size."""
    bomb = gzip.compress(PNG + bytes(8 * 1024 * 1024))
    packed = reply(bomb, {"Content-Encoding": "gzip"})
    async with serving(packed) as (server, client):
        with pytest.raises(DownloadError, match="larger than 1000000 bytes"):
            await client.download(server.url, tmp_path / "a.png", max_bytes=1_000_000)

    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert list(tmp_path.iterdir()) == []


async def test_requests_are_not_links() -> None:
    """A request goes to the service's address, wherever that is."""
    async with serving(answer()) as (server, client):
        await client.generate("a cat")

    assert server.ran == 1
