"""The sandbox over HTTP: keys, routes, links that expire, and faults on request."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from itertools import product
from types import TracebackType
from typing import Any, Final, Self, cast
from urllib.parse import urlsplit

import anyio
from aiohttp import web
from anyio import to_thread
from anyio.from_thread import start_blocking_portal

from .._settings import named
from ..providers import Provider
from ..requests import Request
from ..webhooks._scheme import KEYS_PATH
from .faces import Shape, shape_for
from .faults import Fault, FaultPlan
from .service import Ledger, Service
from .studio import RefusalError
from .webhooks import WebhookPlan, Webhooks
from .wire import read_request


LINK_LIFE: Final = 86_400.0
"""Seconds that a link lives: 24 hours, as the service's."""
LARGEST_BODY: Final = 512 * 1024 * 1024
IMAGES: Final = "/api/images/ephemeral/"

FORBIDDEN_FOR_UNAUTHORIZED: Final = frozenset(
    {"/remix", "/upscale", "/v1/ideogram-v3/remix"}
)
"""Paths whose documentation gives 403 where others give 401."""


class Sandbox:
    """A local server that imitates the service: no key, no cost, real pictures.

    ```python
    async with Sandbox(limit=4, latency=0.2) as sandbox:
        client = IdeogramClient("any key", base_url=sandbox.url)
    ```

    It listens on this machine only. `running()` serves from a thread of its own, for
    code that is not async. `Sandbox(provider="pixazo")` has the addresses, the key, the
    limits and the answers of that gateway; what its page doesn't tell, such as errors,
    is as at the official service.

    Args:
        provider: Whom to imitate: a name, as for the client, or a provider class.
        port: Port to listen on; 0 for any free one.
        api_key: The key to accept; None for any.
        link_life: Seconds until a link expires.
        faults: Share of the requests that meet each fault.
        webhooks: How it tells of generations that are completed, signed, and publishes
            its keys; None for not at all. That needs cryptography.
        **service: Attributes of `Service`, such as `limit` and `latency`.

    Attributes:
        provider: Who is imitated.
        service: What decides; its attributes may be changed while it runs.
        webhooks: What delivers webhooks; None if nothing does.

    Raises:
        ConfigurationError: There is no provider of that name; or cryptography, which
            webhooks need, is not installed.
    """

    def __init__(
        self,
        *,
        provider: str | type[Provider] = "ideogram",
        port: int = 0,
        api_key: str | None = None,
        link_life: float = LINK_LIFE,
        faults: Mapping[Fault, float] | None = None,
        webhooks: WebhookPlan | None = None,
        **service: Any,
    ) -> None:
        self.provider: type[Provider] = (
            named(provider) if isinstance(provider, str) else provider
        )
        self.service: Service = Service(**service, link=self._link)
        self.faults: FaultPlan = FaultPlan(faults or {})
        self.webhooks: Webhooks | None = None
        if webhooks is not None:
            self.webhooks = Webhooks(self.service, webhooks)
            self.service.announce = self.webhooks.announce
        self._api_key = api_key
        self._link_life = link_life
        self._port = port
        self._secret = secrets.token_bytes()
        self._runner: web.AppRunner | None = None

    @property
    def ledger(self) -> Ledger:
        """What was billed and refused."""
        return self.service.ledger

    @property
    def url(self) -> str:
        """The `base_url` of a client of this provider."""
        return self._host + urlsplit(self.provider.default_base_url).path

    @property
    def _host(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        """Start to listen."""
        app = web.Application(client_max_size=LARGEST_BODY)
        base = urlsplit(self.url).path
        for prefix, kind in product(self.provider.prefixes, self.provider.routes):
            path = base + prefix + kind.endpoint.path
            route = self._route(kind, shape_for(self.provider, prefix, kind))
            app.router.add_route(kind.endpoint.method, path, route)
        app.router.add_get(IMAGES + "{name}.png", self._serve_image)
        if self.webhooks is not None:
            app.router.add_get(base + KEYS_PATH, self._serve_keys)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop to listen, and to tell."""
        if self.webhooks is not None:
            await self.webhooks.aclose()
        if self._runner is not None:
            await self._runner.cleanup()

    @contextmanager
    def running(self) -> Generator[Self]:
        """Serve from a thread of its own while the context lasts."""
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(self):
            yield self

    def _route(
        self, kind: type[Request[Any]], shape: Shape
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(incoming: web.Request) -> web.StreamResponse:
            try:
                self._check_key(incoming)
                request = await self._read(incoming, kind)
                return await self._answer(incoming, request, shape)
            except RefusalError as refusal:
                return web.json_response(refusal.body, status=refusal.status)

        return answer

    def _check_key(self, incoming: web.Request) -> None:
        scheme = self.provider.key_scheme
        field = incoming.headers.get(self.provider.key_header, "")
        key = field.removeprefix(scheme)
        if field.startswith(scheme) and key and self._api_key in {None, key}:
            return
        forbidden = incoming.path in FORBIDDEN_FOR_UNAUTHORIZED
        raise RefusalError(403 if forbidden else 401, "Missing or unknown API key.")

    async def _read(
        self, incoming: web.Request, kind: type[Request[Any]]
    ) -> Request[Any]:
        try:
            request = await read_request(incoming, kind)
        except ValueError as error:
            raise RefusalError(400, str(error)) from None
        if wrong := self.provider.routes[kind].complaint(request):
            raise RefusalError(400, wrong)
        return request

    async def _answer(
        self, incoming: web.Request, request: Request[Any], shape: Shape
    ) -> web.StreamResponse:
        fault = self.faults.draw()
        if fault == "error_before":
            raise RefusalError(500, "Internal error before the request ran.")
        if fault == "reset_before":
            return _dropped(incoming)
        answer = await self.service.run(request)
        response = web.json_response(shape(self.service, request, answer))
        if fault is None:
            return response
        return await self._faulty(incoming, response, fault)

    async def _faulty(
        self, incoming: web.Request, response: web.Response, fault: Fault
    ) -> web.StreamResponse:
        if fault == "error":
            raise RefusalError(500, "Internal error after the request ran.")
        if fault == "hang":
            await anyio.sleep_forever()
        if fault == "reset":
            return _dropped(incoming)
        text = response.text or ""
        half = text[: len(text) // 2].encode()
        if fault == "garble":
            return web.Response(body=half, content_type="application/json")
        cut = web.StreamResponse(headers={"Content-Length": str(len(text))})
        await cut.prepare(incoming)
        await cut.write(half)
        return _dropped(incoming)

    def _link(self, name: str) -> str:
        expires = str(int(time.time() + self._link_life))
        signature = self._signature(name, expires)
        return f"{self._host}{IMAGES}{name}.png?exp={expires}&sig={signature}"

    def _signature(self, name: str, expires: str) -> str:
        message = f"{name} {expires}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    async def _serve_keys(self, _: web.Request) -> web.Response:
        webhooks = cast("Webhooks", self.webhooks)
        return web.json_response(webhooks.signer.key_set)

    async def _serve_image(self, incoming: web.Request) -> web.Response:
        name = incoming.match_info["name"]
        expires = incoming.query.get("exp", "")
        signature = self._signature(name, expires)
        if not hmac.compare_digest(signature, incoming.query.get("sig", "")):
            return web.Response(status=403, text="wrong signature")
        if int(expires) <= time.time():
            return web.Response(status=403, text="link expired")
        picture = self.service.pictures[name]
        body = await to_thread.run_sync(picture.png)
        return web.Response(body=body, content_type="image/png")


def _dropped(incoming: web.Request) -> web.StreamResponse:
    """Drop the connection; the response that is returned goes nowhere."""
    if incoming.transport is not None:
        incoming.transport.abort()
    return web.Response()
