"""The adapter to aiohttp: sends one step, and knows what is known when that fails.

A paid POST must not meet a stale connection: the server may have closed it, and then
nobody knows whether the request ran. So idle connections are kept for a second only,
which is less than servers keep them. Redirects are never followed with the key.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager as Context
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache, partial
from ssl import SSLContext
from typing import Any, Final

import aiohttp
import attrs

from ._body import Body
from ._connector import Connector
from ._deadlines import Deadline, Deadlines
from ._http import HttpRequest, HttpResponse, new_tuple
from ._links import Links, judged_socket
from ._lost import LOST, translated
from ._version import __version__
from .errors import TransportError


CONNECT_TIMEOUT: Final = 30.0
CONNECT_SHARE: Final = 0.9
"""Connecting gets less than the whole time, so that its timeout is known as its own."""
KEEP_ALIVE: Final = 1.0
LINK_IDLE: Final = 30.0
"""Most seconds without a byte of a link that is uploaded."""
CHUNK: Final = 256 * 1024
LARGEST_ANSWER: Final = 64 * 1024 * 1024
USER_AGENT: Final = f"ideogram-async/{__version__}"
FOR_HOSTS: Final = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
"""What hosts of images are told: nobody sees that the end of what is packed is lost."""
FULL_AGENT: Final = (
    f"{USER_AGENT} python/{sys.version_info.major}.{sys.version_info.minor}"
    f" aiohttp/{aiohttp.__version__}"
)
"""What the service is told."""


class Transport:
    """Sends steps over one aiohttp session, made on first use.

    Args:
        session: The caller's own session, which is never closed here; or None.
        network: How connections are made, without a given session.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession | None = None,
        network: Network | None = None,
    ) -> None:
        self._given = session
        self._network = network or Network()
        self._deadlines = Deadlines()
        self._own: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(
        self,
        step: HttpRequest,
        timeout: float,  # noqa: ASYNC109
        connect: float = CONNECT_TIMEOUT,
    ) -> HttpResponse:
        """Send *step* once and return the reply, whatever its status.

        Args:
            step: What to send.
            timeout: Seconds for all of it.
            connect: Most seconds of them to connect.

        Raises:
            TransportError: No reply came; says whether the step may have run.
        """
        body = Body(step)
        try:
            if not body.is_streamed:
                return await self._exchange(step, body, timeout, connect)
            async with AsyncExitStack() as files:
                await body.open(files, partial(self._open_link, timeout))
                return await self._exchange(step, body, timeout, connect)
        except LOST as error:
            failure = translated(error, timeout)
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise error.with_traceback(None) from None  # its frames hold the key
            failure = TransportError("the request was cancelled from elsewhere")
        if body.fault:
            raise TransportError(body.fault, delivery="not_sent")
        raise failure

    async def _open_link(
        self, seconds: float, url: str, files: AsyncExitStack
    ) -> tuple[AsyncIterator[bytes], int | None]:
        """Open *url* for an upload, without any key."""
        timeout = aiohttp.ClientTimeout(seconds, CONNECT_TIMEOUT, LINK_IDLE)
        response = await files.enter_async_context(self._get(url, timeout))
        if response.status != 200:  # noqa: PLR2004
            raise ConnectionError(f"its server answers {response.status}")
        packed = "Content-Encoding" in response.headers
        size = None if packed else response.content_length
        return response.content.iter_chunked(CHUNK), size

    @asynccontextmanager
    async def fetch(self, url: str, idle: float) -> AsyncGenerator[Download]:
        """Get *url* without any key, following redirects.

        Args:
            url: Absolute address.
            idle: Most seconds without a byte.

        Raises:
            TransportError: The connection failed, or was lost before the end.
        """
        timeout = aiohttp.ClientTimeout(connect=CONNECT_TIMEOUT, sock_read=idle)
        try:
            async with self._get(url, timeout) as response:
                chunks = response.content.iter_chunked(CHUNK)
                yield Download(response.status, response.headers, chunks)
                return
        except LOST as error:
            failure = translated(error, idle)
        raise failure

    def _get(
        self, url: str, timeout: aiohttp.ClientTimeout
    ) -> Context[aiohttp.ClientResponse]:
        """Get a link, and where it redirects to, as far as they may lead."""
        session = self._session(asyncio.get_running_loop())
        # ours goes last, to judge what others made of the request
        others: tuple[Any, ...] = getattr(session, "_middlewares", ())
        return session.get(
            url,
            headers=FOR_HOSTS,
            timeout=timeout,
            raise_for_status=False,
            middlewares=(*others, self._network.links),
        )

    async def aclose(self) -> None:
        """Close the session if it is ours; the next request makes a new one."""
        self._deadlines.close()
        own, self._own = self._own, None
        if own is not None and self._loop is asyncio.get_running_loop():
            await own.close()

    async def _exchange(
        self, step: HttpRequest, body: Body, seconds: float, connect: float
    ) -> HttpResponse:
        loop = asyncio.get_running_loop()
        deadline = self._deadlines.begin(loop, seconds)
        try:
            response = await self._session(loop).request(
                step.method,
                step.url,
                data=body.content,
                headers={"User-Agent": FULL_AGENT, **step.headers, **body.headers},
                timeout=_limits(min(connect, seconds * CONNECT_SHARE)),
                allow_redirects=False,
                raise_for_status=False,
            )
            content, complete = await _read(response, deadline, body)
        except asyncio.CancelledError:
            if deadline.is_over:
                raise TimeoutError from None
            raise
        finally:
            self._deadlines.end(deadline)
        received = time.time()
        found = (response.status, response.headers, content, complete, received)
        answer: HttpResponse = new_tuple(HttpResponse, found)
        return answer

    def _session(self, loop: asyncio.AbstractEventLoop) -> aiohttp.ClientSession:
        if self._given is not None:
            if self._given.closed:
                raise TransportError("the session is closed", delivery="not_sent")
            return self._given
        if self._own is None or self._loop is not loop:
            self._loop = loop
            self._own = self._network.session()
        return self._own


@attrs.frozen(eq=False, repr=False)
class Network:
    """How connections are made.

    Attributes:
        proxy: Address of a proxy for everything; it may hold a password.
        trust_env: Whether proxies are taken from the environment, and `~/.netrc`.
        ssl: Which certificates are trusted; the machine's own if None.
        links: Where links may lead.
    """

    proxy: str | None = None
    trust_env: bool = False
    ssl: SSLContext | None = None
    links: Links = attrs.field(factory=Links)

    def session(self) -> aiohttp.ClientSession:
        """Make a session."""
        return aiohttp.ClientSession(
            connector=Connector(
                limit=0,
                keepalive_timeout=KEEP_ALIVE,
                ssl=self.ssl or True,
                socket_factory=judged_socket,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=self.proxy,
            trust_env=self.trust_env,
        )


@attrs.frozen(eq=False, repr=False)
class Download:
    """A reply whose body is still to come.

    Attributes:
        status: HTTP status code.
        headers: Header fields, by names in any case.
        chunks: The body, in pieces.
    """

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


@lru_cache(maxsize=8)
def _limits(connect: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=connect, ceil_threshold=float("inf"))


async def _read(
    response: aiohttp.ClientResponse, deadline: Deadline, sent: Body
) -> tuple[bytes, bool]:
    """Return what comes of the body in time, and whether it is all of it."""
    chunks: list[bytes] = []
    size, content, complete = 0, response.content, False
    try:
        while size <= LARGEST_ANSWER and not content.at_eof():
            chunks.append(await content.readany())
            size += len(chunks[-1])
        complete = size <= LARGEST_ANSWER
    except LOST:
        pass
    except asyncio.CancelledError:
        if not deadline.is_over:
            raise
    finally:
        if sent.is_streamed or not complete:  # else its connection is back already
            response.release()
            await response.wait_for_close()
    return b"".join(chunks), complete


def is_cancelled() -> bool:
    """Whether it is this task that is cancelled, and not something it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
