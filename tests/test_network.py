"""Proxies, TLS, and sessions of the caller's own, over real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme

from ideogram_async import (
    ConfigurationError,
    ConnectionFailedError,
    IdeogramClient,
    Upload,
)

from .proxy import Proxy
from .servers import PNG, QUICK, Server, answer, client_of, closed_port, reply


KEY = b"secret"
PASSWORD = "somebody:pass-word"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Make an authority that no machine trusts."""
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """Return a context that trusts the authority."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
async def secure(authority: trustme.CA) -> AsyncIterator[Server]:
    """Run a server with a certificate of the authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with Server(answer(), ssl=context) as server:
        yield server


async def test_a_certificate_of_ones_own(
    secure: Server, trusting: ssl.SSLContext
) -> None:
    """`ssl=` says which certificates are trusted."""
    async with client_of(secure.url, ssl=trusting) as client:
        response = await client.generate("a cat")

    assert len(response.images) == 1
    assert secure.ran == 1


async def test_a_certificate_that_nobody_trusts(secure: Server) -> None:
    """Without it the machine's own are: nothing is sent."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)  # the server is told of it as well
    async with client_of(secure.url) as client:
        with pytest.raises(ConnectionFailedError, match="certificate"):
            await client.generate("a cat")

    assert secure.requests == []


async def test_https_through_a_proxy(secure: Server, trusting: ssl.SSLContext) -> None:
    """A proxy sees CONNECT and TLS: neither the key nor the prompt."""
    async with (
        Proxy() as proxy,
        client_of(secure.url, ssl=trusting, proxy=proxy.url) as client,
    ):
        await client.generate("a cat")

    assert secure.requests[0].headers["api-key"] == "secret"
    assert proxy.targets == [b"CONNECT 127.0.0.1:%d" % secure.port]
    assert KEY not in proxy.carried
    assert b"a cat" not in proxy.carried
    assert b"Api-Key" not in proxy.carried
    assert len(proxy.carried) > 500


async def test_http_through_a_proxy(tmp_path: Path) -> None:
    """Without TLS requests go in the absolute form, downloads too."""
    async with (
        Proxy() as proxy,
        Server(answer(), reply(PNG)) as server,
        client_of(server.url, proxy=proxy.url) as client,
    ):
        await client.generate("a cat")
        await client.download(f"{server.url}/a.png", tmp_path / "a.png")

    posted, _, fetched = proxy.carried.partition(b"GET ")
    assert posted.startswith(f"POST {server.url}/v1/ideogram-v3/generate ".encode())
    assert fetched.startswith(f"{server.url}/a.png ".encode())
    assert server.ran == 2
    assert KEY not in fetched


async def test_links_that_are_uploaded_go_through_the_proxy() -> None:
    """The content of a link is fetched through the proxy as well, without the key."""
    async with (
        Proxy() as proxy,
        Server(reply(PNG), answer()) as server,
        client_of(server.url, proxy=proxy.url) as client,
    ):
        image = Upload.from_url(f"{server.url}/cat.png")
        await client.remix("a cat", image=image)

    fetched, _, posted = proxy.carried.partition(b"POST ")
    assert fetched.startswith(f"GET {server.url}/cat.png ".encode())
    assert posted.startswith(f"{server.url}/".encode())
    assert KEY not in fetched


async def test_a_proxy_with_a_password(
    secure: Server, trusting: ssl.SSLContext
) -> None:
    """The password in the address of the proxy goes to the proxy alone."""
    async with (
        Proxy(PASSWORD) as proxy,
        client_of(secure.url, ssl=trusting, proxy=proxy.url) as client,
    ):
        await client.generate("a cat")

        assert "pass-word" not in repr(client) + repr(client._transport._network)

    assert "proxy-authorization" not in secure.requests[0].headers


@pytest.mark.parametrize("refuses", [407, 403, 502])
async def test_a_proxy_that_refuses(
    secure: Server, trusting: ssl.SSLContext, refuses: int
) -> None:
    """A tunnel that is refused was never used: not sent, and no password is told."""
    async with (
        Proxy(PASSWORD, refuses) as proxy,
        client_of(secure.url, ssl=trusting, proxy=proxy.url) as client,
    ):
        with pytest.raises(ConnectionFailedError) as caught:
            await client.generate("a cat")

    assert caught.value.delivery == "not_sent"
    assert "pass-word" not in repr(caught.value)
    assert str(refuses) in str(caught.value)
    assert len(proxy.heads) == QUICK.attempts
    assert secure.requests == []


async def test_a_proxy_that_is_not_there() -> None:
    """A proxy that can't be reached is no connection, and its password is not told."""
    proxy = f"http://{PASSWORD}@127.0.0.1:{closed_port()}"

    async with client_of("https://api.example", proxy=proxy) as client:
        with pytest.raises(ConnectionFailedError) as caught:
            await client.generate("a cat")

    assert "pass-word" not in str(caught.value) + repr(caught.value)


async def test_proxies_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, secure: Server, trusting: ssl.SSLContext
) -> None:
    """`trust_env=True` takes the proxy from the environment; else it is left alone."""
    async with Proxy() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with client_of(secure.url, ssl=trusting) as client:
            await client.generate("directly")
        direct = len(proxy.heads)
        async with client_of(secure.url, ssl=trusting, trust_env=True) as client:
            await client.generate("around")

    assert (direct, len(proxy.heads)) == (0, 1)
    assert secure.ran == 2


@pytest.mark.parametrize(
    "option",
    [
        {"proxy": "http://proxy.example:3128"},
        {"trust_env": True},
        {"ssl": ssl.create_default_context()},
    ],
)
async def test_a_session_decides_itself(option: dict[str, Any]) -> None:
    """What a given session decides can't be said to the client as well."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ConfigurationError, match=f"^{next(iter(option))}: "):
            IdeogramClient("key", session=session, **option)


@pytest.mark.parametrize(
    "proxy", ["", "proxy.example", "socks5://a", "http://u:pass-word@:80", "http://["]
)
def test_a_proxy_that_is_no_address(proxy: str) -> None:
    """A proxy must be an address; a wrong one is not quoted, for its password."""
    with pytest.raises(ConfigurationError, match="proxy must be like") as caught:
        IdeogramClient("key", proxy=proxy)

    assert "pass-word" not in str(caught.value)


@pytest.mark.parametrize("context", [False, True, "ca.pem"])
def test_a_context_that_is_none(context: Any) -> None:
    """`ssl` is a context; certificates are never left unchecked by a False."""
    with pytest.raises(ConfigurationError, match="ssl must be an"):
        IdeogramClient("key", ssl=context)


async def test_a_session_of_ones_own_with_a_proxy() -> None:
    """A session that is given keeps its own proxy."""
    async with (
        Proxy() as proxy,
        Server(answer()) as server,
        aiohttp.ClientSession(proxy=proxy.url) as session,
        client_of(server.url, session=session) as client,
    ):
        await client.generate("a cat")

    assert len(proxy.heads) == 1
