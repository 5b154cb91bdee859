"""The client: configuration, and everything that a user calls."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypedDict, TypeVar, Unpack, cast, overload

import aiohttp
import attrs

from ._bulk import Bulk, Items, Outcomes, Source
from ._delivery import Call, Delivery
from ._files import Downloader
from ._operations import Operations
from ._retry import RetryPolicy
from ._settings import configured
from ._transport import Transport
from .batch import Batch
from .errors import ConfigurationError, IdeogramError
from .limiter import Limiter
from .requests import Request
from .responses import ImageObject, ImageResponse


T = TypeVar("T")

TIMEOUT: Final = 300.0
"""Seconds for one attempt; the service itself gives up after 265."""


class Options(TypedDict, total=False):
    """What `IdeogramClient.with_options` changes; see the client for the meanings."""

    retry: RetryPolicy
    timeout: float
    deadline: float | None


class IdeogramClient(Operations):
    """Sends requests to Ideogram, or to a gateway, within the limit of its key.

    Use it as an async context manager, or call `aclose` at the end. One client serves
    any number of tasks of one event loop, and may be used again in another loop.

    Args:
        api_key: The key; from the provider's environment variable (such as
            `IDEOGRAM_API_KEY`) if omitted.
        provider: Name of the service; `IDEOGRAM_PROVIDER`, else `"ideogram"`, if
            omitted.
        base_url: Address of the service; `IDEOGRAM_BASE_URL` if neither this nor
            *provider* is given, else the provider's own.
        limiter: The gate for images in progress; clients with one key share one.
        retry: How often, and how soon, what may be sent again is sent again.
        timeout: Seconds for one attempt.
        deadline: Seconds for one call, or one batch, with all its waits and attempts;
            None for no limit.
        session: An aiohttp session to use; it is not closed. Let its connector keep
            idle connections shortly (`keepalive_timeout=1`): one that the service
            has closed meanwhile leaves a paid request unknown.

    Raises:
        ConfigurationError: There is no key, no such provider, or no such address.
    """

    def __init__(  # noqa: PLR0913  # the contract's options, keyword only
        self,
        api_key: str | None = None,
        *,
        provider: str | None = None,
        base_url: str | None = None,
        limiter: Limiter | None = None,
        retry: RetryPolicy | None = None,
        timeout: float = TIMEOUT,
        deadline: float | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> None:
        if provider is None:
            provider = os.environ.get("IDEOGRAM_PROVIDER") or "ideogram"
            base_url = base_url or os.environ.get("IDEOGRAM_BASE_URL")
        self._provider = configured(provider, api_key, base_url)
        if session is not None and self._provider.key_header in session.headers:
            raise ConfigurationError(
                f"the session sends {self._provider.key_header} to every host, also to"
                " those of images: leave it out of the session and pass api_key"
            )
        self._transport = Transport(session)
        self._limiter = limiter or Limiter()
        self._downloader = Downloader(self._transport, RetryPolicy())
        self._configure(retry or RetryPolicy(), timeout, deadline)

    def _configure(
        self, retry: RetryPolicy, timeout: float, deadline: float | None
    ) -> None:
        for name, seconds in (("timeout", timeout), ("deadline", deadline)):
            if seconds is not None and not seconds > 0:
                raise ConfigurationError(f"{name} must be above 0 s, got {seconds}")
        self._deadline = deadline
        self._delivery = Delivery(self._transport, self._limiter, retry, timeout)
        self._downloader = attrs.evolve(self._downloader, retry=retry)

    def __repr__(self) -> str:
        """Return the provider and the state of the limit."""
        return f"<IdeogramClient {self._provider!r} {self._limiter!r}>"

    @property
    def limiter(self) -> Limiter:
        """The gate: places in use, waiting, and the limit as learnt so far."""
        return self._limiter

    def with_options(self, **options: Unpack[Options]) -> Self:
        """Return a copy with other options that shares the session and the limiter."""
        changed = copy.copy(self)
        changed._configure(  # noqa: SLF001  # our own
            options.get("retry", self._delivery.retry),
            options.get("timeout", self._delivery.timeout),
            options.get("deadline", self._deadline),
        )
        return changed

    async def send(self, request: Request[T]) -> T:
        """Send *request* and return its answer.

        Raises:
            IdeogramError: There is no answer; the class says why.
        """
        return await self._send(request, Call.within(self._deadline))

    @overload
    def stream_many(
        self, requests: Items[str] | Items[str | Request[ImageResponse]], **fields: Any
    ) -> AbstractAsyncContextManager[Outcomes[ImageResponse]]: ...
    @overload
    def stream_many(
        self, requests: Items[Request[T]]
    ) -> AbstractAsyncContextManager[Outcomes[T]]: ...
    def stream_many(
        self, requests: Items[Any], **fields: Any
    ) -> AbstractAsyncContextManager[Outcomes[Any]]:
        """Send many requests and hand their outcomes over as they complete.

        ```python
        async with client.stream_many(requests) as outcomes:
            async for outcome in outcomes:
                ...
        ```

        Requests are drawn as they are needed, so that a source of any length takes
        little memory. A failing item never harms another; 401, 402 and 403 would befall
        all of them, so they end the batch, and the rest is not sent. Leaving the
        context ends everything at once; `outcomes.stop()` lets what is under way end.

        Args:
            requests: Requests or prompts: a list, a generator, an async iterable.
            **fields: Fields of the requests that plain prompts become.

        Raises:
            ValueError: One of *fields* is invalid.
        """
        run = Bulk(
            Source(requests),
            self._maker(fields),
            self._send,
            self._limiter,
            self._deadline,
        )
        return run.run()

    async def send_many(self, requests: Items[Request[T]]) -> Batch[T]:
        """Send many requests and return all outcomes in input order.

        See `stream_many` for how they are sent.
        """
        return await _collected(self.stream_many(requests))

    async def generate_many(
        self, prompts: Items[str] | Items[str | Request[ImageResponse]], **fields: Any
    ) -> Batch[ImageResponse]:
        """Generate images from many prompts and return all outcomes in input order.

        A plain prompt becomes the provider's default generate request (`GenerateV3`
        where there is one) with *fields*; requests are sent as they are. See
        `stream_many` for how they are sent.

        Args:
            prompts: Prompts or requests: a list, a generator, an async iterable.
            **fields: Fields of the requests that plain prompts become.

        Raises:
            ValueError: One of *fields* is invalid.
        """
        return await _collected(self.stream_many(prompts, **fields))

    async def download(
        self, image: ImageObject | str, path: str | os.PathLike[str]
    ) -> Path:
        """Save *image* at *path*: a whole file, checked to be an image, or none.

        Args:
            image: An image of an answer, or its link.
            path: Where to put it; a missing folder is made, a file is replaced.

        Returns:
            The path.

        Raises:
            DownloadError: The image has no link, or an expired one; what came is not
                a whole image; or it can't be written.
        """
        found = ImageObject(url=image) if isinstance(image, str) else image
        call = Call.within(self._deadline)
        return await self._downloader.save(found, Path(path), call)

    async def aclose(self) -> None:
        """Close the connections; a session that was given stays open."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the connections."""
        await self.aclose()

    async def _send(self, request: Request[T], call: Call) -> T:
        try:
            exchange = self._provider.exchange(request)
            step = next(exchange)
            while True:
                await call.sleep(step.delay)
                reply = await self._delivery.deliver(step, self._provider.check, call)
                step = exchange.send(reply)
        except StopIteration as finished:
            return cast("T", finished.value)
        except IdeogramError as error:
            error.provider, error.request = self._provider.name, request
            raise

    def _maker(self, fields: dict[str, Any]) -> Callable[[Any], Request[Any]]:
        kind = cast("Callable[..., Request[Any]]", self._provider.default_request)
        if fields:
            kind("a prompt", **fields)

        def make(item: object) -> Request[Any]:
            if isinstance(item, Request):
                return cast("Request[Any]", item)
            if isinstance(item, str):
                return kind(item, **fields)
            raise ValueError(f"expected a prompt or a request, got {item!r:.80}")

        return make


async def _collected(
    stream: AbstractAsyncContextManager[Outcomes[T]],
) -> Batch[T]:
    async with stream as outcomes:
        return Batch([outcome async for outcome in outcomes])
