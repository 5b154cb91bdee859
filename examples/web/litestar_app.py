"""Pictures as they complete, with Litestar."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn
from litestar import Litestar, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.static_files import create_static_files_router
from order import PAGE, Order, options

from ideogram_async import IdeogramClient
from ideogram_async.web import Backend
from ideogram_async.web.litestar import IdeogramPlugin


def application(make: Callable[[], IdeogramClient] = IdeogramClient) -> Litestar:
    """Return the application, whose client *make* makes."""
    page = create_static_files_router("/", directories=[PAGE], html_mode=True)
    return Litestar([start, page], plugins=[IdeogramPlugin(make)])


@post("/batches")
async def start(
    data: JSONBody[Order], ideogram: NamedDependency[Backend]
) -> dict[str, str]:
    """Start a batch, which the page then follows by its id."""
    running = ideogram.start_many(data.prompts, aspect_ratio=data.aspect_ratio)
    return {"id": running.id}


if __name__ == "__main__":
    with options() as (make, port):
        uvicorn.run(application(make), port=port, timeout_graceful_shutdown=3)
