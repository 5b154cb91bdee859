"""The same small application in every framework, served over real sockets."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
import attrs
import fastapi
import litestar
import uvicorn
from aiohttp import web
from litestar.di import NamedDependency
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ideogram_async import GenerationResponse, IdeogramClient, Limiter
from ideogram_async.web import Backend
from ideogram_async.web import aiohttp as on_aiohttp
from ideogram_async.web import fastapi as on_fastapi
from ideogram_async.web import litestar as on_litestar
from ideogram_async.web import starlette as on_starlette
from tests.servers import QUICK


WEBHOOKS = "/webhooks/ideogram"
STOP = 1
"""Seconds that a server waits for open connections."""


@attrs.define(eq=False)
class Site:
    """An application that is served.

    Attributes:
        url: Where.
        session: What asks it.
        stop: Stops it, as SIGTERM does.
        client: Its client.
        received: What its webhooks told.
        breaks: What its webhooks raise, if anything.
    """

    url: str
    session: aiohttp.ClientSession
    stop: Callable[[], None]
    client: IdeogramClient
    received: list[GenerationResponse]
    breaks: list[Exception]

    async def start(self, prompts: list[str]) -> str:
        """Start a batch and return its id."""
        async with self.session.post("/batches", json=prompts) as response:
            return str((await response.json())["id"])

    @asynccontextmanager
    async def listening(
        self, batch: str, last: str | None = None
    ) -> AsyncGenerator[AsyncGenerator[dict[str, Any]]]:
        """Listen to a batch while the context lasts."""
        headers = {} if last is None else {"Last-Event-ID": last}
        address = f"/batches/{batch}/events"
        async with self.session.get(address, headers=headers) as response:
            assert response.status == 200
            assert response.content_type == "text/event-stream"
            assert response.headers["X-Accel-Buffering"] == "no"
            yield read_events(response)

    async def events(self, batch: str, last: str | None = None) -> list[dict[str, Any]]:
        """Return the events of a batch to its end."""
        async with self.listening(batch, last) as found:
            return [event async for event in found]


async def read_events(
    response: aiohttp.ClientResponse,
) -> AsyncGenerator[dict[str, Any]]:
    """Yield events as they come, parsed as the standard says."""
    event: dict[str, Any] = {}
    async for line in response.content:
        text = line.decode().rstrip("\r\n")
        if text:
            name, _, value = text.partition(": ")
            event[name] = json.loads(value) if name == "data" else value
        elif event:
            yield event
            event = {}


@attrs.frozen
class Parts:
    """What an application is made of.

    Attributes:
        make: Makes its client.
        on_generation: What its webhooks do.
    """

    make: Callable[[], IdeogramClient]
    on_generation: Callable[[GenerationResponse], Any]


def fastapi_app(parts: Parts) -> fastapi.FastAPI:
    """Make it with FastAPI."""
    app = fastapi.FastAPI(lifespan=on_fastapi.lifespan(parts.make, drain=5))
    app.include_router(on_fastapi.router)
    app.include_router(on_fastapi.webhook_router(WEBHOOKS, parts.on_generation))

    async def start(prompts: list[str], ideogram: on_fastapi.Ideogram) -> Any:
        return {"id": ideogram.start_many(prompts).id}

    async def one(
        prompt: str, client: on_fastapi.Client, request: fastapi.Request
    ) -> Any:
        async with on_fastapi.until_disconnect(request):
            return {"url": (await client.generate(prompt)).data[0].url}

    app.post("/batches")(_resolved(start))
    app.get("/one/{prompt}")(_resolved(one))
    return app


def _resolved(function: Any) -> Any:
    """Return *function* with types instead of their names, which are local."""
    names = {"on_fastapi": on_fastapi, "fastapi": fastapi}
    for name, hint in function.__annotations__.items():
        function.__annotations__[name] = eval(hint, globals() | names)
    return function


def starlette_app(parts: Parts) -> Starlette:
    """Make it with Starlette."""

    async def start(request: Request) -> Response:
        backend = on_starlette.backend_of(request)
        return JSONResponse({"id": backend.start_many(await request.json()).id})

    async def one(request: Request) -> Response:
        client = on_starlette.backend_of(request).client
        async with on_starlette.until_disconnect(request):
            answer = await client.generate(request.path_params["prompt"])
            return JSONResponse({"url": answer.data[0].url})
        return Response()

    return Starlette(
        routes=[
            Route("/batches", start, methods=["POST"]),
            Route("/one/{prompt}", one),
            on_starlette.webhook_route(WEBHOOKS, parts.on_generation),
            *on_starlette.routes,
        ],
        lifespan=on_starlette.lifespan(parts.make, drain=5),
    )


@litestar.post("/batches")
async def litestar_start(
    request: litestar.Request[Any, Any, Any], ideogram: NamedDependency[Backend]
) -> dict[str, str]:
    """Start a batch."""
    return {"id": ideogram.start_many(await request.json()).id}


@litestar.get("/one/{prompt:str}")
async def litestar_one(
    ideogram_client: NamedDependency[IdeogramClient],
    request: litestar.Request[Any, Any, Any],
) -> dict[str, str | None]:
    """Make one picture."""
    async with on_litestar.until_disconnect(request):
        answer = await ideogram_client.generate(request.path_params["prompt"])
        return {"url": answer.data[0].url}
    return {}


def litestar_app(parts: Parts) -> litestar.Litestar:
    """Make it with Litestar."""
    webhook = on_litestar.webhook_route(WEBHOOKS, parts.on_generation)
    return litestar.Litestar(
        [litestar_start, litestar_one, webhook],
        plugins=[on_litestar.IdeogramPlugin(parts.make, drain=5)],
        logging_config=None,
    )


def aiohttp_app(parts: Parts) -> web.Application:
    """Make it with aiohttp."""

    async def start(request: web.Request) -> web.Response:
        backend = request.app[on_aiohttp.IDEOGRAM]
        return web.json_response({"id": backend.start_many(await request.json()).id})

    async def one(request: web.Request) -> web.Response:
        client = request.app[on_aiohttp.IDEOGRAM].client
        answer = await client.generate(request.match_info["prompt"])
        return web.json_response({"url": answer.data[0].url})

    app = web.Application()
    on_aiohttp.setup(app, parts.make, drain=5)
    app.router.add_post("/batches", start)
    app.router.add_get("/one/{prompt}", one)
    app.add_routes([on_aiohttp.webhook_route(WEBHOOKS, parts.on_generation)])
    return app


APPS: dict[str, Callable[[Parts], Any]] = {
    "fastapi": fastapi_app,
    "starlette": starlette_app,
    "litestar": litestar_app,
    "aiohttp": aiohttp_app,
}


@asynccontextmanager
async def site(name: str, service: str, places: int = 10) -> AsyncGenerator[Site]:
    """Serve the application of a framework, whose service is at the address given."""
    limiter = Limiter(places)
    client = IdeogramClient("secret", base_url=service, limiter=limiter, retry=QUICK)
    received: list[GenerationResponse] = []
    breaks: list[Exception] = []

    async def on_generation(result: GenerationResponse) -> None:
        if breaks:
            raise breaks.pop()
        received.append(result)

    app = APPS[name](Parts(lambda: client, on_generation))
    serve = _serve_aiohttp if name == "aiohttp" else serve_asgi
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        async with anyio.create_task_group() as group:
            stop = await group.start(serve, app, listening)
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            async with aiohttp.ClientSession(url, connector=connector) as session:
                yield Site(url, session, stop, client, received, breaks)
            stop()


async def serve_asgi(app: Any, listening: socket.socket, *, task_status: Any) -> None:
    """Serve an ASGI application by uvicorn; the status is what stops it."""
    config = uvicorn.Config(
        app,
        ws="none",
        log_config=None,
        log_level="critical",
        timeout_graceful_shutdown=STOP,
    )
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    async with anyio.create_task_group() as group:
        group.start_soon(server._serve, [listening])
        while not server.started:  # noqa: ASYNC110  # nothing tells
            await anyio.sleep(0.005)
        task_status.started(stop)


async def _serve_aiohttp(
    app: Any, listening: socket.socket, *, task_status: Any
) -> None:
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    stopped = anyio.Event()
    task_status.started(stopped.set)
    await stopped.wait()
    await runner.cleanup()
