"""aiohttp.web, which the package has anyway.

```python
async def start(request):
    running = request.app[IDEOGRAM].start_many((await request.json())["prompts"])
    return web.json_response({"id": running.id})

app = web.Application()
setup(app)
app.router.add_post("/batches", start)
```
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, Final

from aiohttp import web

from .._running import RunningBatch
from ..client import IdeogramClient
from ._backend import DRAIN, KEEP, Backend, OnGeneration, opened
from ._events import MEDIA_TYPE, STREAM_HEADERS, events


__all__ = ["IDEOGRAM", "event_stream", "setup", "webhook_route"]

IDEOGRAM: Final = web.AppKey("ideogram", Backend)
"""`request.app[IDEOGRAM]` is the backend; its `client` is the client."""


def setup(
    app: web.Application,
    make: Callable[[], IdeogramClient] = IdeogramClient,
    *,
    drain: float | None = DRAIN,
    keep: int = KEEP,
) -> None:
    """Make a client for *app*, close it at the end, and add the routes of batches.

    The routes `GET /batches/{id}/events` and `DELETE /batches/{id}` are for who knows
    the id of a batch. `web.run_app(app, handler_cancellation=True)` ends a handler
    whose browser has left, so that a request that waits gives its turn away at once.

    Args:
        app: The application.
        make: Makes the client; by default from the environment.
        drain: Most seconds that what batches have under way may still take at the end;
            None for as long as an attempt may take.
        keep: Batches that are kept after their end.
    """

    async def context(app: web.Application) -> AsyncGenerator[None, None]:
        async with opened(make, drain=drain, keep=keep) as backend:
            app[IDEOGRAM] = backend
            yield

    async def stop(app: web.Application) -> None:
        """Let batches end before the server waits for those that listen."""
        app[IDEOGRAM].stop()

    app.cleanup_ctx.append(context)
    app.on_shutdown.append(stop)
    app.router.add_get("/batches/{batch_id}/events", _listen)
    app.router.add_delete("/batches/{batch_id}", _cancel)


async def event_stream(
    request: web.Request, running: RunningBatch[Any]
) -> web.StreamResponse:
    """Send the events of *running*, from where the browser was when it left."""
    response = web.StreamResponse(headers=STREAM_HEADERS)
    response.content_type = MEDIA_TYPE
    await response.prepare(request)
    async for event in events(running, request.headers.get("Last-Event-ID")):
        try:
            await response.write(bytes(event))
        except ConnectionError:  # the browser has left
            break
    return response


async def _listen(request: web.Request) -> web.StreamResponse:
    return await event_stream(request, _found(request))


async def _cancel(request: web.Request) -> web.Response:
    _found(request).cancel()
    return web.Response(status=204)


def _found(request: web.Request) -> RunningBatch[Any]:
    running = request.app[IDEOGRAM].find(request.match_info["batch_id"])
    if running is None:
        raise web.HTTPNotFound(text="no such batch")
    return running


def webhook_route(path: str, on_generation: OnGeneration) -> web.RouteDef:
    """Return the route that takes webhooks at *path*; see `Backend.receive`."""

    async def webhook(request: web.Request) -> web.Response:
        body = await request.read()
        backend = request.app[IDEOGRAM]
        reply = await backend.receive(request.headers, body, on_generation)
        return web.Response(text=reply.text, status=reply.status)

    return web.post(path, webhook)
