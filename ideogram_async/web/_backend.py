"""What an application keeps while it runs: a client, its latest batches, webhooks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .._bulk import Items
from .._running import RunningBatch
from ..client import IdeogramClient
from ..errors import WebhookVerificationError
from ..requests import Request
from ..responses import GenerationResponse, ImageResponse


if TYPE_CHECKING:
    from ..webhooks import WebhookVerifier


DRAIN: Final = 30.0
"""Seconds that what is under way may still take when the application ends."""
KEEP: Final = 100
"""Batches that are kept after their end, for browsers that come back."""
LARGEST_WEBHOOK: Final = 1024 * 1024
"""Bytes of a webhook; the service sends some thousand."""

OnGeneration = Callable[[GenerationResponse], Awaitable[None]]
"""Is given what a webhook tells; the service waits for it, so it should be quick."""


class Reply(NamedTuple):
    """What a webhook is answered.

    Attributes:
        status: HTTP status code.
        text: Why, in a word.
    """

    status: int
    text: str


class Backend:
    """A client, and the batches that it was asked for, by their ids.

    Batches live in this process: where there are several, a browser must come back to
    the same one.

    Args:
        client: The client.
        keep: Batches that are kept after their end; the oldest are forgotten first.

    Attributes:
        client: The client.
    """

    def __init__(self, client: IdeogramClient, *, keep: int = KEEP) -> None:
        self.client = client
        self._keep = keep
        self._batches: dict[str, RunningBatch[Any]] = {}
        self._receiving: set[str] = set()

    @cached_property
    def verifier(self) -> WebhookVerifier:
        """What checks webhooks; it needs `ideogram-async[webhooks]`.

        Raises:
            ConfigurationError: It is not installed, or the service has no webhooks.
        """
        from ..webhooks import WebhookVerifier  # noqa: PLC0415  # an extra

        return WebhookVerifier(self.client)

    def start_many(
        self,
        requests: Items[str] | Items[str | Request[ImageResponse]],
        **fields: Any,
    ) -> RunningBatch[ImageResponse]:
        """Start a batch that `find` finds again; see `IdeogramClient.start_many`."""
        running = self.client.start_many(requests, **fields)
        ended = [name for name, each in self._batches.items() if each.is_done]
        for name in ended[: max(0, len(ended) - self._keep)]:
            del self._batches[name]
        self._batches[running.id] = running
        return running

    def find(self, batch_id: str) -> RunningBatch[Any] | None:
        """Return the batch of that id: it runs, or has ended not long ago."""
        return self._batches.get(batch_id)

    def stop(self) -> None:
        """Cancel all batches, as the server stops: what is under way still ends."""
        for running in self._batches.values():
            running.cancel("the server stops")

    async def receive(
        self, headers: Mapping[str, str], body: bytes, on_generation: OnGeneration
    ) -> Reply:
        """Check a webhook, give it to *on_generation*, and return what to answer.

        What fails a check gets 400, or 503 as long as the keys can't be had, with the
        name of the check; what was delivered before gets 200 and is not given again. As
        long as *on_generation* is at work on it, that is 503, since it may yet fail.

        Args:
            headers: Header fields, by names in any case.
            body: The body exactly as it came.
            on_generation: What to do with it. If it fails, the error goes on, and the
                service may deliver again.
        """
        try:
            result = await self.verifier.verify(headers, body)
        except WebhookVerificationError as error:
            reason = error.reason or ""
            if reason == "already_seen" and _generation_id(headers) in self._receiving:
                return Reply(503, "under_way")
            return Reply(_STATUS_OF.get(reason, 400), reason)
        generation_id = result.generation_id
        self._receiving.add(generation_id)
        try:
            await on_generation(result)
        except BaseException:
            self.verifier.forget(generation_id)
            raise
        finally:
            self._receiving.discard(generation_id)
        return Reply(200, "received")


def _generation_id(headers: Mapping[str, str]) -> str:
    """Return the id in *headers* that were found in order."""
    from ..webhooks import _scheme  # noqa: PLC0415  # an extra

    return _scheme.given_fields(headers)[_scheme.GENERATION_ID]


_STATUS_OF: Final[Mapping[str, int]] = {"already_seen": 200, "no_keys": 503}


@asynccontextmanager
async def opened(
    make: Callable[[], IdeogramClient] = IdeogramClient,
    *,
    drain: float | None = DRAIN,
    keep: int = KEEP,
) -> AsyncGenerator[Backend, None]:
    """Make a client for an application, and close it at the end.

    Args:
        make: Makes the client; by default from the environment.
        drain: Most seconds that what batches have under way may still take at the end;
            None for as long as an attempt may take.
        keep: Batches that are kept after their end.
    """
    backend = Backend(make(), keep=keep)
    try:
        yield backend
    finally:
        await backend.client.aclose(drain)
