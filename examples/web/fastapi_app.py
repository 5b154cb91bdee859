"""Pictures as they complete, with FastAPI."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from order import PAGE, Order, options

from ideogram_async import IdeogramClient
from ideogram_async.web.fastapi import Ideogram, lifespan, router


def application(make: Callable[[], IdeogramClient] = IdeogramClient) -> FastAPI:
    """Return the application, whose client *make* makes."""
    app = FastAPI(title="Pictures from prompts", lifespan=lifespan(make))
    app.include_router(router)
    app.post("/batches")(start)
    app.mount("/", StaticFiles(directory=PAGE, html=True))
    return app


async def start(order: Order, ideogram: Ideogram) -> dict[str, str]:
    """Start a batch, which the page then follows by its id."""
    running = ideogram.start_many(order.prompts, aspect_ratio=order.aspect_ratio)
    return {"id": running.id}


if __name__ == "__main__":
    with options() as (make, port):
        uvicorn.run(application(make), port=port, timeout_graceful_shutdown=3)
