"""Pictures as they complete, with aiohttp.web."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web
from order import PAGE, Order, options

from ideogram_async import IdeogramClient
from ideogram_async.web.aiohttp import IDEOGRAM, setup


def application(
    make: Callable[[], IdeogramClient] = IdeogramClient,
) -> web.Application:
    """Return the application, whose client *make* makes."""
    app = web.Application()
    setup(app, make)
    app.router.add_post("/batches", start)
    app.router.add_get("/", page)
    app.router.add_static("/", PAGE)
    return app


async def start(request: web.Request) -> web.Response:
    """Start a batch, which the page then follows by its id."""
    try:
        order = Order(**await request.json())
        running = request.app[IDEOGRAM].start_many(
            order.prompts, aspect_ratio=order.aspect_ratio
        )
    except (TypeError, ValueError) as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    return web.json_response({"id": running.id})


async def page(_: web.Request) -> web.FileResponse:
    """Return the page."""
    return web.FileResponse(PAGE / "index.html")


if __name__ == "__main__":
    with options() as (make, port):
        web.run_app(application(make), host="127.0.0.1", port=port, print=None)
