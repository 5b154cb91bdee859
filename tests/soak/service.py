"""The service of the soak, a process of its own: a sandbox behind a bad network.

It prints its address, serves until its input ends, and then prints its ledger.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from aiohttp import web

from ideogram_async.requests import Request
from ideogram_async.sandbox import Fault, Sandbox
from ideogram_async.sandbox.asked import prompt_of
from ideogram_async.sandbox.faces import Shape


HOST = "127.0.0.1"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 600
"""What every link gives: the client looks at the first bytes only."""
FAULTS: dict[Fault, float] = {
    "error_before": 0.01,
    "reset_before": 0.01,
    "error": 0.01,
    "reset": 0.01,
    "truncate": 0.01,
    "garble": 0.005,
    "hang": 0.002,
}
LIMITS = (4, 6, 10, 14)
LIMIT_SECONDS = 20.0
REFUSED = 0.01
"""Share of the requests that are asked to come again later, by 429 and by 503."""
BAD_DOWNLOADS = 0.06
CUT_CONNECTIONS = 0.03
SLOW_CONNECTIONS = 0.05


class PlainSandbox(Sandbox):
    """A sandbox with one picture, that asks prompts with "again" to come again."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._asked_again = set[str]()

    async def _answer(
        self, incoming: web.Request, request: Request[Any], shape: Shape
    ) -> web.StreamResponse:
        self.service.pictures.clear()  # none of them is drawn
        prompt = prompt_of(request)
        if "again" in prompt and prompt not in self._asked_again:
            self._asked_again.add(prompt)
            return web.json_response({}, status=503, headers={"Retry-After": "0"})
        return await super()._answer(incoming, request, shape)

    async def _serve_image(self, _: web.Request) -> web.StreamResponse:
        return web.Response(body=PICTURE, content_type="image/png")


class RoughSandbox(PlainSandbox):
    """A sandbox that also refuses at random, and cuts its picture short."""

    front = 0

    @property
    def _host(self) -> str:
        return f"http://{HOST}:{self.front or self._port}"

    async def _answer(
        self, incoming: web.Request, request: Request[Any], shape: Shape
    ) -> web.StreamResponse:
        if random.random() < REFUSED:
            status = random.choice((429, 503))
            later = {"Retry-After": random.choice(("0.2", "1"))}
            return web.json_response({}, status=status, headers=later)
        return await super()._answer(incoming, request, shape)

    async def _serve_image(self, incoming: web.Request) -> web.StreamResponse:
        drawn = random.random()
        if drawn > BAD_DOWNLOADS:
            return await super()._serve_image(incoming)
        if drawn < BAD_DOWNLOADS / 3:
            return web.Response(status=503)
        cut = web.StreamResponse(headers={"Content-Length": str(len(PICTURE))})
        await cut.prepare(incoming)
        await cut.write(PICTURE[: random.randrange(len(PICTURE))])
        if incoming.transport is not None:
            incoming.transport.abort()
        return cut


class Relay:
    """Carries connections to a port; some are slow, some are cut."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def listen(self) -> int:
        """Listen, and return the port."""
        self._server = await asyncio.start_server(self._accept, HOST)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError):
            onward = await asyncio.open_connection(HOST, self._port)
            cut = random.random() < CUT_CONNECTIONS
            left = [random.randrange(200_000) if cut else sys.maxsize]
            pause = 0.02 if random.random() < SLOW_CONNECTIONS else 0.0
            try:
                await asyncio.gather(
                    _pump(reader, onward[1], left, pause),
                    _pump(onward[0], writer, left, pause),
                )
            finally:
                for end in (writer, onward[1]):
                    if left[0] <= 0:
                        _reset(end)
                    end.transport.abort()


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    left: list[int],
    pause: float,
) -> None:
    while piece := await reader.read(65536):
        left[0] -= len(piece)
        if left[0] <= 0:
            raise ConnectionResetError
        if pause:
            await asyncio.sleep(pause)
        writer.write(piece)
        await writer.drain()
    raise ConnectionResetError  # one end has closed: so do both


def _reset(writer: asyncio.StreamWriter) -> None:
    """Let the end of a connection be a reset."""
    found = writer.get_extra_info("socket")
    with suppress(OSError):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _move_limit(sandbox: Sandbox) -> None:
    while True:
        sandbox.service.limit = random.choice(LIMITS)
        await asyncio.sleep(LIMIT_SECONDS)


@asynccontextmanager
async def rough(latency: float) -> AsyncGenerator[Sandbox]:
    """Serve with faults, behind a bad network, with a limit that moves."""
    async with RoughSandbox(latency=latency, faults=FAULTS) as sandbox:
        relay = Relay(sandbox._port)
        sandbox.front = await relay.listen()
        mover = asyncio.create_task(_move_limit(sandbox))
        yield sandbox
        mover.cancel()


async def serve(latency: float, *, is_plain: bool) -> None:
    """Serve until the input ends."""
    plain = PlainSandbox(latency=latency, limit=10**6)
    async with plain if is_plain else rough(latency) as sandbox:
        sys.stdout.write(f"{sandbox.url}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        await asyncio.sleep(0.3)  # for what is in the buffers of sockets
        charges = [[each.prompt, each.images] for each in sandbox.ledger.charges]
        told = {"charges": charges, "refusals": sandbox.ledger.refusals}
        sys.stdout.write(json.dumps(told) + "\n")


def main() -> None:
    """Serve as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.6)
    parser.add_argument("--plain", action="store_true")
    given = parser.parse_args()
    logging.disable()  # callers who have gone are no news
    asyncio.run(serve(given.latency, is_plain=given.plain))


@contextmanager
def running(*options: str) -> Generator[tuple[str, Callable[[], list[list[Any]]]]]:
    """Start this program; give its address, and what ends it and reads its ledger."""
    command = [sys.executable, __file__, *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None

        def charges() -> list[list[Any]]:
            told: list[list[Any]] = json.loads(process.communicate("")[0])["charges"]
            return told

        try:
            yield process.stdout.readline().strip(), charges
        finally:
            process.kill()


if __name__ == "__main__":
    main()
