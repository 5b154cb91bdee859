"""What a client does with many requests at once."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Sized
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar, cast, overload

from . import responses
from ._bulk import Bulk, Items, Outcomes, Source
from ._failover import Failover
from ._operations import Operations
from ._running import RunningBatch, RunningBatches, Send
from .batch import INDEX, Batch, Failure, Success
from .requests import Request


T = TypeVar("T")


class Batches(Operations):
    """The batches of a client: streamed, or collected.

    Attributes:
        _failover: Who is asked, and how.
        _deadline: Seconds for one batch; None for no limit.
        _running: The batches that were started and have not ended.
    """

    _failover: Failover
    _running: RunningBatches
    _deadline: float | None

    @overload
    def stream_many(
        self,
        requests: Items[str] | Items[str | Request[responses.ImageResponse]],
        **fields: Any,
    ) -> AbstractAsyncContextManager[Outcomes[responses.ImageResponse]]: ...
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
            UnsupportedRequestError: The provider's default request has no such field.
            ValueError: One of *fields* is invalid.
        """
        return self._bulk(requests, self._maker(fields), self._failover.send)

    @overload
    def start_many(
        self,
        requests: Items[str] | Items[str | Request[responses.ImageResponse]],
        **fields: Any,
    ) -> RunningBatch[responses.ImageResponse]: ...
    @overload
    def start_many(self, requests: Items[Request[T]]) -> RunningBatch[T]: ...
    def start_many(self, requests: Items[Any], **fields: Any) -> RunningBatch[Any]:
        """Send many requests in a task of the client, which needs no listener.

        ```python
        running = client.start_many(prompts)
        async for outcome in running.outcomes():  # here, there, again, or not at all
            ...
        batch = await running.result()
        ```

        See `stream_many` for how they are sent. Closing the client lets nothing new
        out, and waits for what is under way. Call it in a running event loop.

        Args:
            requests: Requests or prompts: a list, or a generator or an async iterable
                that ends; all outcomes are kept.
            **fields: Fields of the requests that plain prompts become.

        Raises:
            UnsupportedRequestError: The provider's default request has no such field.
            ValueError: One of *fields* is invalid.
        """
        total = len(requests) if isinstance(requests, Sized) else None
        make = self._maker(fields)
        running = RunningBatch[Any](
            total, lambda send: self._bulk(requests, make, send), self._failover.send
        )
        return self._running.hold(running)

    async def send_many(self, requests: Items[Request[T]]) -> Batch[T]:
        """Send many requests and return all outcomes in input order.

        See `stream_many` for how they are sent.
        """
        send = self._failover.send
        return await _collected(
            self._bulk(requests, self._maker({}), send, keeps_all=True)
        )

    async def generate_many(
        self,
        prompts: Items[str] | Items[str | Request[responses.ImageResponse]],
        **fields: Any,
    ) -> Batch[responses.ImageResponse]:
        """Generate images from many prompts and return all outcomes in input order.

        A plain prompt becomes the provider's default generate request (`GenerateV3`
        where there is one) with *fields*; requests are sent as they are. See
        `stream_many` for how they are sent.

        Args:
            prompts: Prompts or requests: a list, a generator, an async iterable.
            **fields: Fields of the requests that plain prompts become.

        Raises:
            UnsupportedRequestError: The provider's default request has no such field.
            ValueError: One of *fields* is invalid.
        """
        send = self._failover.send
        return await _collected(
            self._bulk(prompts, self._maker(fields), send, keeps_all=True)
        )

    def _bulk(
        self,
        requests: Items[Any],
        make: Callable[[Any], Request[Any]],
        send: Send,
        *,
        keeps_all: bool = False,
    ) -> AbstractAsyncContextManager[Outcomes[Any]]:
        run = Bulk(
            Source(requests),
            make,
            send,
            lambda: self._failover.limit,
            self._deadline,
            self._failover.is_locked_out,
            keeps_all,
        )
        return run.run()

    def _maker(self, fields: dict[str, Any]) -> Callable[[Any], Request[Any]]:
        prompted = self._failover.channels[0].provider.prompted(fields)

        def make(item: object) -> Request[Any]:
            if isinstance(item, Request):
                return cast("Request[Any]", item)
            if isinstance(item, str):
                return prompted(item)
            raise ValueError(f"expected a prompt or a request, got {item!r:.80}")

        return make


async def _collected(
    stream: AbstractAsyncContextManager[Outcomes[T]],
) -> Batch[T]:
    in_order: list[Success[T] | Failure] = []  # to sort them at the end takes long
    async with stream as outcomes:
        async for outcome in outcomes:
            insort(in_order, outcome, key=INDEX)
    return Batch(in_order, is_sorted=True)
