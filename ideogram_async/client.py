"""The client: configuration, and everything that a user calls."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

import aiohttp
import attrs

from . import responses
from ._batches import Batches
from ._call import Call
from ._delivery import TIMEOUT, Delivery
from ._failover import Channel, Failover
from ._files import LARGEST_IMAGE, Downloader
from ._http import Secret
from ._links import Links
from ._listeners import Listeners
from ._polling import Poller
from ._ready import converter_ready
from ._recorder import Recorder
from ._retry import RetryPolicy
from ._running import RunningBatches
from ._settings import (
    Choice,
    Options,
    check_network,
    check_shared,
    checked_headers,
    chosen,
)
from ._transport import Network, Transport
from .costs import Cost
from .errors import ConfigurationError
from .limiter import Limiter
from .requests import Request


if TYPE_CHECKING:
    from ._gate import Gate
    from ._stats import Stats
    from .hooks import Hooks
    from .providers import Provider

T = TypeVar("T")


class IdeogramClient(Batches):
    """Sends requests to Ideogram, or to gateways, within the limits of their keys.

    Use it as an async context manager, or call `aclose` at the end. One client serves
    any number of tasks of one event loop, and may be used again in another loop.

    Args:
        api_key: The key; from the provider's environment variable (such as
            `IDEOGRAM_API_KEY`) if omitted.
        provider: Name of the service, such as `"pixazo"`; `IDEOGRAM_PROVIDER`, else
            `"ideogram"`, if omitted. Of a list, by names or as `Pixazo(api_key)`, the
            next is asked if one can't have run a request: no connection, 401, 402, 403,
            429 for its share of the deadline.
        base_url: Address of the service; `IDEOGRAM_BASE_URL` if neither this nor
            *provider* is given, else the provider's own.
        limiter: The gate for images in progress; clients with one key share one, and
            none of them closes it. Of several providers each has its own.
        retry: How often, and how soon, what may be sent again is sent again.
        timeout: Seconds for one attempt.
        deadline: Seconds for one call, or one batch, with all its waits and attempts;
            None for no limit.
        session: An aiohttp session to use; it is not closed. Let its connector keep
            idle connections shortly (`keepalive_timeout=1`): one that the service
            has closed meanwhile leaves a paid request unknown.
        headers: Further header fields of every request to the service, not to others.
        hooks: Who is told of every attempt, retry and outcome; one, or several.
        proxy: A proxy for everything, as `"http://user:password@proxy.example:3128"`.
        trust_env: Whether proxies are those of the environment, and of `~/.netrc`.
        ssl: Which certificates are trusted; those of the machine if omitted.
        allow_private_links: Whether links may lead to addresses that are not public.

    Raises:
        ConfigurationError: There is no key, no such provider or address, or an option
            can't be what it is.
    """

    def __init__(  # noqa: PLR0913  # the contract's options, keyword only
        self,
        api_key: str | None = None,
        *,
        provider: Choice | Sequence[Choice] | None = None,
        base_url: str | None = None,
        limiter: Gate | None = None,
        retry: RetryPolicy | None = None,
        timeout: float = TIMEOUT,
        deadline: float | None = None,
        session: aiohttp.ClientSession | None = None,
        headers: Mapping[str, str] | None = None,
        hooks: Hooks | Sequence[Hooks] = (),
        proxy: str | None = None,
        trust_env: bool = False,
        ssl: SSLContext | None = None,
        allow_private_links: bool = False,
    ) -> None:
        self._failover = Failover(())  # which a traceback may ask for
        api_key, proxy = (each and Secret(each) for each in (api_key, proxy))
        providers = chosen(provider, api_key, base_url)
        check_shared(providers, session.headers if session else (), limiter)
        check_network(session, proxy, ssl, trust_env=trust_env)
        listeners = Listeners(tuple(hooks) if isinstance(hooks, Sequence) else (hooks,))
        links = Links.of(providers, session, allow_private=allow_private_links)
        self._transport = Transport(session, Network(proxy, trust_env, ssl, links))
        self._downloader = Downloader(
            self._transport, RetryPolicy(), listeners=listeners
        )
        self._poller = Poller()
        self._failover = Failover(
            tuple(
                Channel(each, self._delivery(each, limiter, listeners))
                for each in providers
            ),
            listeners=listeners,
        )
        self._running = RunningBatches()
        self._configure(retry or RetryPolicy(), timeout, deadline, headers)

    def _delivery(
        self, provider: Provider, limiter: Gate | None, listeners: Listeners
    ) -> Delivery:
        gate = limiter or Limiter(provider.places)
        recorder = Recorder(provider.name, provider.cost, listeners, gate.limit)
        return Delivery(self._transport, gate, recorder=recorder)

    def _configure(
        self,
        retry: RetryPolicy,
        timeout: float,
        deadline: float | None,
        headers: Mapping[str, str] | None,
    ) -> None:
        for name, seconds in (("timeout", timeout), ("deadline", deadline)):
            if seconds is not None and not seconds > 0:
                raise ConfigurationError(f"{name} must be above 0 s, got {seconds}")
        asked = (channel.provider for channel in self._failover.channels)
        self._headers = checked_headers(headers, asked)
        self._retry, self._timeout, self._deadline = retry, timeout, deadline
        self._failover = self._failover.configured(retry, timeout, self._headers)
        self._downloader = attrs.evolve(self._downloader, retry=retry)

    def __repr__(self) -> str:
        """Return the providers and the state of their limits."""
        shown = (f"{e.provider!r} {e.limiter!r}" for e in self._failover.channels)
        return f"<IdeogramClient {', '.join(shown)}>"

    @property
    def limiter(self) -> Gate:
        """The gate of the first provider: places in use, waiting, and the limit."""
        return self._failover.channels[0].limiter

    def supports(self, request: type[Request[Any]] | Request[Any]) -> bool:
        """Whether there is a route for a request class, or for a request as it is."""
        return self._failover.supports(request)

    def estimate(
        self,
        requests: str | Request[Any] | Iterable[str | Request[Any]],
        **fields: Any,
    ) -> Cost:
        """Return what requests cost, by the published prices; nothing is sent.

        Of several providers, it is the price of the first that takes the request.

        Args:
            requests: A request or a prompt, or many.
            **fields: Fields of the requests that plain prompts become.

        Returns:
            The total; of many requests, with the cost of each in `items`.

        Raises:
            UnsupportedRequestError: There is no route for a request.
            ValueError: One of *fields* is invalid.
        """
        make = self._maker(fields)
        if isinstance(requests, str | Request):
            return self._failover.cost(make(requests))
        costs = tuple(self._failover.cost(make(each)) for each in requests)
        return attrs.evolve(Cost.total(costs), items=costs)

    def stats(self) -> Stats:
        """Return what this client, and its copies `with_options`, have done so far.

        It may be called at any time, from any thread.
        """
        return self._failover.stats(self._downloader.counted)

    def with_options(self, **options: Unpack[Options]) -> Self:
        """Return a copy with other options; all else is shared, also the limiter.

        New `headers` stand for all that were given before.

        Raises:
            ConfigurationError: An option can't be what it is.
        """
        changed = copy.copy(self)
        changed._configure(  # noqa: SLF001  # our own
            options.get("retry", self._retry),
            options.get("timeout", self._timeout),
            options.get("deadline", self._deadline),
            options.get("headers", self._headers),
        )
        return changed

    async def send(self, request: Request[T]) -> T:
        """Send *request* and return its answer.

        Raises:
            IdeogramError: There is no answer; the class says why.
        """
        return await self._failover.send(request, Call.within(self._deadline))

    async def wait_for_generation(
        self,
        generation_id: str,
        timeout: float | None = None,  # noqa: ASYNC109  # the contract's
    ) -> responses.GenerationResponse:
        """Return what a generation has made, as soon as it is completed.

        It asks at once, after 2 s, 3 s, and so on up to every 30 s. A poll that is
        refused (429), fails (5xx) or is lost is followed by the next. All waits of this
        client and of its copies together stay below the service's 1,000 polls in 10 s.
        Polls take no place in the limit, and cancelling a wait changes nothing.

        Args:
            generation_id: What `submit_generate_v4` answered.
            timeout: Most seconds to wait; None for as long as the client's deadline
                lets it.

        Raises:
            GenerationFailedError: It ended as failed, and is not billed.
            RequestTimeoutError: The time was up; the generation goes on, and
                `generation_id` is its id.
            IdeogramError: It can't be asked for, such as an id that nobody knows.
            ValueError: It can be no id.
        """
        limits = [each for each in (timeout, self._deadline) if each is not None]
        call = Call.within(min(limits, default=None))
        return await self._poller.wait(self._failover, generation_id, call)

    async def download(
        self,
        image: responses.ImageObject | str,
        path: str | os.PathLike[str],
        *,
        max_bytes: int = LARGEST_IMAGE,
    ) -> Path:
        """Save *image* at *path*: a whole file, checked to be an image, or none.

        Args:
            image: An image of an answer, or its link.
            path: Where to put it; a missing folder is made, a file is replaced.
            max_bytes: Most bytes of the file; 256 MiB if omitted.

        Returns:
            The path.

        Raises:
            DownloadError: The image has no link, or an expired one; what came is not
                a whole image; or it can't be written.
        """
        found = responses.ImageObject(url=image) if isinstance(image, str) else image
        call = Call.within(self._deadline)
        return await self._downloader.save(found, Path(path), call, max_bytes)

    async def aclose(self, drain: float | None = None) -> None:
        """Close the connections; a session that was given stays open.

        Batches of `start_many` send nothing new, and what they have under way is waited
        for, also when the caller's scope is cancelled: it is paid.

        Args:
            drain: Most seconds of that wait; None for as long as an attempt may take.
                What is still under way then ends as `OutcomeUnknownError`.
        """
        try:
            await self._running.drain(drain)
        finally:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        """Return the client."""
        await converter_ready()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close the connections, as `aclose` does."""
        await self.aclose()
