"""Web backends: one client for the whole application, and batches that browsers follow.

A module for each framework says how its application makes and closes the client, hands
it to request functions, streams the events of a batch, and takes webhooks:
`ideogram_async.web.fastapi`, `.starlette`, `.litestar` and `.aiohttp`. Each needs its
framework (`pip install 'ideogram-async[fastapi]'`), and nothing else does. What they
share is here, and serves any other framework as well.
"""

from ._backend import Backend, OnGeneration, Reply, opened
from ._events import STREAM_HEADERS, Event, events


__all__ = [
    "STREAM_HEADERS",
    "Backend",
    "Event",
    "OnGeneration",
    "Reply",
    "events",
    "opened",
]
