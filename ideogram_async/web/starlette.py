"""Starlette: `pip install 'ideogram-async[starlette]'`.

```python
async def start(request):
    running = backend_of(request).start_many((await request.json())["prompts"])
    return JSONResponse({"id": running.id})

ours = Route("/batches", start, methods=["POST"])
app = Starlette(routes=[ours, *routes], lifespan=lifespan())
```
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final, TypedDict, cast

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from .._running import RunningBatch
from ..client import IdeogramClient
from ._asgi import until_disconnect
from ._backend import DRAIN, KEEP, LARGEST_WEBHOOK, Backend, OnGeneration, opened
from ._events import MEDIA_TYPE, STREAM_HEADERS, events


__all__ = [
    "backend_of",
    "event_stream",
    "lifespan",
    "routes",
    "until_disconnect",
    "webhook_route",
]


class State(TypedDict):
    """What a request finds in its state.

    Attributes:
        ideogram: The backend.
    """

    ideogram: Backend


def lifespan(
    make: Callable[[], IdeogramClient] = IdeogramClient,
    *,
    drain: float | None = DRAIN,
    keep: int = KEEP,
) -> Callable[[Any], AbstractAsyncContextManager[State]]:
    """Return the lifespan of an application: it makes the client and closes it.

    Give the server a limit of its own for open connections, such as uvicorn's
    `timeout_graceful_shutdown=3`: it waits for those that listen to a batch, and tells
    nobody; batches go on until then.

    Args:
        make: Makes the client; by default from the environment.
        drain: Most seconds that what batches have under way may still take at the end;
            None for as long as an attempt may take.
        keep: Batches that are kept after their end.
    """

    @asynccontextmanager
    async def run(_: Any) -> AsyncGenerator[State, None]:
        async with opened(make, drain=drain, keep=keep) as backend:
            yield {"ideogram": backend}

    return run


def backend_of(connection: HTTPConnection) -> Backend:
    """Return the backend of the application that *connection* belongs to."""
    return cast("Backend", connection.state.ideogram)


def found(connection: HTTPConnection, batch_id: str) -> RunningBatch[Any]:
    """Return the batch of that id.

    Raises:
        HTTPException: 404, there is none.
    """
    running = backend_of(connection).find(batch_id)
    if running is None:
        raise HTTPException(404, "no such batch")
    return running


def event_stream(request: Request, running: RunningBatch[Any]) -> StreamingResponse:
    """Return the events of *running*, from where the browser was when it left."""
    stream = events(running, request.headers.get("last-event-id"))
    return StreamingResponse(
        (bytes(event) async for event in stream),
        media_type=MEDIA_TYPE,
        headers=STREAM_HEADERS,
    )


async def _listen(request: Request) -> Response:
    return event_stream(request, found(request, request.path_params["batch_id"]))


async def _cancel(request: Request) -> Response:
    found(request, request.path_params["batch_id"]).cancel()
    return Response(status_code=204)


routes: Final = (
    Route("/batches/{batch_id}/events", _listen, methods=["GET"]),
    Route("/batches/{batch_id}", _cancel, methods=["DELETE"]),
)
"""The events of a batch, and its cancellation; who knows its id may use them."""


async def take_webhook(request: Request, on_generation: OnGeneration) -> Response:
    """Check a webhook, give it to *on_generation*, and return the answer."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_WEBHOOK:
            return PlainTextResponse("too large", 413)
    reply = await backend_of(request).receive(
        request.headers, bytes(body), on_generation
    )
    return PlainTextResponse(reply.text, reply.status)


def webhook_route(path: str, on_generation: OnGeneration) -> Route:
    """Return the route that takes webhooks at *path*; see `Backend.receive`."""

    async def webhook(request: Request) -> Response:
        return await take_webhook(request, on_generation)

    return Route(path, webhook, methods=["POST"])
