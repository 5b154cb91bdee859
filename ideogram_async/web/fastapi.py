"""FastAPI: `pip install 'ideogram-async[fastapi]'`.

```python
app = FastAPI(lifespan=lifespan())
app.include_router(router)

@app.post("/batches")
async def start(prompts: list[str], ideogram: Ideogram) -> dict[str, str]:
    return {"id": ideogram.start_many(prompts).id}
```
"""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from .._running import RunningBatch
from ..client import IdeogramClient
from ._asgi import until_disconnect
from ._backend import Backend, OnGeneration
from ._events import Event, events
from .starlette import backend_of, found, lifespan, take_webhook


__all__ = [
    "Client",
    "Ideogram",
    "Running",
    "lifespan",
    "router",
    "server_sent",
    "until_disconnect",
    "webhook_router",
]


def _client(backend: Ideogram) -> IdeogramClient:
    return backend.client


def _running(batch_id: str, connection: HTTPConnection) -> RunningBatch[Any]:
    return found(connection, batch_id)


Ideogram = Annotated[Backend, Depends(backend_of)]
"""A parameter of this type gets the backend."""
Client = Annotated[IdeogramClient, Depends(_client)]
"""A parameter of this type gets the client."""
Running = Annotated[RunningBatch[Any], Depends(_running)]
"""A parameter of this type gets the batch that `{batch_id}` in the path names."""

router: Final = APIRouter()
"""The events of a batch, and its cancellation; who knows its id may use them."""


@router.get("/batches/{batch_id}/events", response_class=EventSourceResponse)
async def batch_events(
    running: Running, last_event_id: Annotated[str | None, Header()] = None
) -> AsyncIterable[ServerSentEvent]:
    """Follow a batch: its outcomes so far, and then each as it completes."""
    async for event in events(running, last_event_id):
        yield server_sent(event)


@router.delete("/batches/{batch_id}", status_code=204)
async def cancel_batch(running: Running) -> None:
    """Cancel a batch: nothing new is sent; what is under way still ends."""
    running.cancel()


def server_sent(event: Event) -> ServerSentEvent:
    """Return *event* as FastAPI's own."""
    return ServerSentEvent(
        raw_data=event.data,
        event=event.event,
        id=event.id,
        retry=event.retry,
        comment=event.comment,
    )


def webhook_router(path: str, on_generation: OnGeneration) -> APIRouter:
    """Return a router that takes webhooks at *path*; see `Backend.receive`."""
    webhooks = APIRouter()

    @webhooks.post(path, include_in_schema=False)
    async def webhook(request: Request) -> Response:
        return await take_webhook(request, on_generation)

    return webhooks
