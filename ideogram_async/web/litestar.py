"""Litestar: `pip install 'ideogram-async[litestar]'`.

```python
@post("/batches")
async def start(
    data: JSONBody[list[str]], ideogram: NamedDependency[Backend]
) -> dict[str, str]:
    return {"id": ideogram.start_many(data).id}

app = Litestar([start], plugins=[IdeogramPlugin()])
```
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, cast

from litestar import Litestar, MediaType, Request, Router, delete, get, post
from litestar.config.app import AppConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.plugins import InitPluginProtocol
from litestar.response import Response, ServerSentEvent, ServerSentEventMessage

from .._running import RunningBatch
from ..client import IdeogramClient
from ._asgi import until_disconnect
from ._backend import DRAIN, KEEP, LARGEST_WEBHOOK, Backend, OnGeneration, opened
from ._events import STREAM_HEADERS, Event, events


__all__ = ["IdeogramPlugin", "server_sent", "until_disconnect", "webhook_route"]


def backend_of(state: State) -> Backend:
    """Return the backend of the application that has *state*."""
    return cast("Backend", state.ideogram)


def client_of(state: State) -> IdeogramClient:
    """Return the client of the application that has *state*."""
    return backend_of(state).client


def found(request: Request[Any, Any, State]) -> RunningBatch[Any]:
    """Return the batch that the path of *request* names.

    Raises:
        NotFoundException: There is none.
    """
    backend = backend_of(request.app.state)
    running = backend.find(request.path_params["batch_id"])
    if running is None:
        raise NotFoundException("no such batch")
    return running


@get("/batches/{batch_id:str}/events")
async def batch_events(request: Request[Any, Any, State]) -> ServerSentEvent:
    """Follow a batch: its outcomes so far, and then each as it completes."""
    stream = events(found(request), request.headers.get("last-event-id"))
    return ServerSentEvent(
        (server_sent(event) async for event in stream), headers=dict(STREAM_HEADERS)
    )


@delete("/batches/{batch_id:str}")
async def cancel_batch(request: Request[Any, Any, State]) -> None:
    """Cancel a batch: nothing new is sent; what is under way still ends."""
    found(request).cancel()


class IdeogramPlugin(InitPluginProtocol):
    """Makes the client and closes it, and hands it to handlers.

    A parameter `ideogram: NamedDependency[Backend]` gets the backend, and
    `ideogram_client: NamedDependency[IdeogramClient]` the client.
    The routes `GET /batches/{id}/events` and `DELETE /batches/{id}` are for who knows
    the id of a batch.

    Give the server a limit of its own for open connections, such as uvicorn's
    `timeout_graceful_shutdown=3`: it waits for those that listen to a batch, and tells
    nobody; batches go on until then.

    Args:
        make: Makes the client; by default from the environment.
        drain: Most seconds that what batches have under way may still take at the end;
            None for as long as an attempt may take.
        keep: Batches that are kept after their end.
    """

    def __init__(
        self,
        make: Callable[[], IdeogramClient] = IdeogramClient,
        *,
        drain: float | None = DRAIN,
        keep: int = KEEP,
    ) -> None:
        self._opened = partial(opened, make, drain=drain, keep=keep)

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Add the lifespan, the dependencies and the routes."""
        config: Any = app_config  # whose lifespan is half typed
        config.lifespan.append(self._lifespan)
        app_config.dependencies |= {
            "ideogram": Provide(backend_of, sync_to_thread=False),
            "ideogram_client": Provide(client_of, sync_to_thread=False),
        }
        app_config.route_handlers.extend([batch_events, cancel_batch])
        return app_config

    @asynccontextmanager
    async def _lifespan(self, app: Litestar) -> AsyncGenerator[None, None]:
        async with self._opened() as backend:
            app.state.ideogram = backend
            yield


def server_sent(event: Event) -> ServerSentEventMessage:
    """Return *event* as Litestar's own."""
    return ServerSentEventMessage(
        data=event.data,
        event=event.event,
        id=event.id,
        retry=event.retry,
        comment=event.comment,
    )


def webhook_route(path: str, on_generation: OnGeneration) -> Router:
    """Return a router that takes webhooks at *path*; see `Backend.receive`."""

    @post("/", request_max_body_size=LARGEST_WEBHOOK, include_in_schema=False)
    async def webhook(request: Request[Any, Any, State]) -> Response[str]:
        body = await request.body()
        backend = backend_of(request.app.state)
        reply = await backend.receive(request.headers, body, on_generation)
        return Response(reply.text, status_code=reply.status, media_type=MediaType.TEXT)

    return Router(path, route_handlers=[webhook])
