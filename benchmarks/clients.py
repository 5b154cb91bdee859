"""Clients in our own environment: raw ones, a script of today, and ours."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import attrs
import cattrs
import tenacity

from ideogram_async import IdeogramClient, Limiter

from . import PROMPT, SEED
from .load import Client, Run, workers


PATH: Final = "/v1/ideogram-v3/generate"
KEY: Final = {"Api-Key": "benchmark"}
FIELDS: Final = {"prompt": PROMPT, "aspect_ratio": "16x9"}
BOUNDARY: Final = "0123456789abcdef0123456789abcdef"
HEAD: Final = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
FORM: Final = "".join(
    [f'{HEAD}"{name}"\r\n\r\n{text}\r\n' for name, text in FIELDS.items()]
    + [f"--{BOUNDARY}--\r\n"]
).encode()


@attrs.frozen
class Picture:
    """An image of an answer."""

    url: str
    prompt: str
    resolution: str
    is_image_safe: bool
    seed: int
    style_type: str


@attrs.frozen
class Answer:
    """An answer."""

    created: str
    data: list[Picture]


class _Exchange(asyncio.Protocol):
    """The least that a client can do on one connection."""

    def __init__(self) -> None:
        self.reply: asyncio.Future[bytes] | None = None
        self.read = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.read += data
        head, end, body = self.read.partition(b"\r\n\r\n")
        if not end:
            return
        at = head.lower().index(b"content-length:") + 15
        if len(body) == int(head[at:].split(b"\r\n", 1)[0]) and self.reply:
            self.read = b""
            self.reply.set_result(body)

    async def send(self, request: bytes) -> bytes:
        self.reply = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.reply


@asynccontextmanager
async def raw(url: str, in_flight: int) -> AsyncGenerator[Run]:
    """Requests over a bare asyncio protocol: the floor."""
    loop, address = asyncio.get_running_loop(), urlsplit(url)
    host, port = address.hostname or "", address.port or 0
    idle = [
        (await loop.create_connection(_Exchange, host, port))[1]
        for _ in range(in_flight)
    ]
    body = json.dumps(FIELDS).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: {address.netloc}\r\nApi-Key: benchmark\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body

    async def send() -> int:
        connection = idle.pop()
        answer = json.loads(await connection.send(request))
        idle.append(connection)
        return int(answer["data"][0]["seed"])

    yield workers(send, in_flight)
    for connection in idle:
        connection.transport.close()


@asynccontextmanager
async def aiohttp_json(url: str, in_flight: int) -> AsyncGenerator[Run]:
    """Requests with aiohttp and json.loads: the reference."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def send() -> int:
            async with session.post(url + PATH, json=FIELDS, headers=KEY) as response:
                answer = json.loads(await response.read())
            return int(answer["data"][0]["seed"])

        yield workers(send, in_flight)


@asynccontextmanager
async def aiohttp_tuned(url: str, in_flight: int) -> AsyncGenerator[Run]:
    """As the reference, with no cookies, and a form whose bytes are made once."""
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
    )
    headers = {**KEY, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    async with session:

        async def send() -> int:
            async with session.post(url + PATH, data=FORM, headers=headers) as response:
                answer = json.loads(await response.read())
            return int(answer["data"][0]["seed"])

        yield workers(send, in_flight)


@asynccontextmanager
async def aiohttp_cattrs(url: str, in_flight: int) -> AsyncGenerator[Run]:
    """As the reference, and the answer becomes attrs classes."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def send() -> int:
            async with session.post(url + PATH, json=FIELDS, headers=KEY) as response:
                answer = cattrs.structure(json.loads(await response.read()), Answer)
            return answer.data[0].seed

        yield workers(send, in_flight)


@asynccontextmanager
async def aiohttp_form(url: str, in_flight: int) -> AsyncGenerator[Run]:
    """As the reference, with aiohttp's own form."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def send() -> int:
            form = aiohttp.FormData(default_to_multipart=True)
            for name, text in FIELDS.items():
                form.add_field(name, text)
            async with session.post(url + PATH, data=form, headers=KEY) as response:
                answer = json.loads(await response.read())
            return int(answer["data"][0]["seed"])

        yield workers(send, in_flight)


@asynccontextmanager
async def script(url: str, in_flight: int) -> AsyncGenerator[Run]:
    """The script of today: a task per prompt, a semaphore, a retry decorator."""
    semaphore = asyncio.Semaphore(in_flight)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        @tenacity.retry(
            wait=tenacity.wait_random_exponential(max=60),
            stop=tenacity.stop_after_attempt(6),
        )
        async def generate(prompt: str) -> Any:
            form = {"prompt": prompt, "aspect_ratio": "16x9"}
            async with (
                semaphore,
                session.post(
                    url + PATH, json=form, headers=KEY, raise_for_status=True
                ) as response,
            ):
                return await response.json()

        async def run(requests: int) -> int:
            answers = await asyncio.gather(*(generate(PROMPT) for _ in range(requests)))
            return sum(answer["data"][0]["seed"] == SEED for answer in answers)

        yield run


@asynccontextmanager
async def ours(
    url: str, in_flight: int, *, verb: str = "generate", learn: bool = False
) -> AsyncGenerator[Run]:
    """Ours, one call per request."""
    fields = {"aspect_ratio": "ASPECT_16_9" if verb == "generate_legacy" else "16x9"}
    async with _client(url, in_flight, learn=learn) as client:
        call = getattr(client, verb)

        async def send() -> int:
            return int((await call(PROMPT, **fields)).data[0].seed)

        yield workers(send, in_flight)


@asynccontextmanager
async def ours_many(url: str, in_flight: int) -> AsyncGenerator[Run]:
    """Ours, as a batch."""
    async with _client(url, in_flight, learn=False) as client:

        async def run(requests: int) -> int:
            prompts = [PROMPT] * requests
            batch = await client.generate_many(prompts, aspect_ratio="16x9")
            return sum(image.seed == SEED for image in batch.images)

        yield run


def _client(url: str, in_flight: int, *, learn: bool) -> IdeogramClient:
    limiter = Limiter(in_flight, learn=learn)
    return IdeogramClient("benchmark", base_url=url, limiter=limiter)


CLIENTS: Final[dict[str, Client]] = {
    "raw": raw,
    "aiohttp": aiohttp_json,
    "aiohttp tuned": aiohttp_tuned,
    "aiohttp cattrs": aiohttp_cattrs,
    "aiohttp form": aiohttp_form,
    "script": script,
    "generate": ours,
    "generate learning": partial(ours, learn=True),
    "generate_many": ours_many,
    "generate_legacy": partial(ours, verb="generate_legacy"),
}
