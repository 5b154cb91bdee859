"""Every operation meets every fault, and what comes of it is held against the table.

A fault strikes once; in a second trial it strikes for ever. In both it must come to
what `table` says; an error must be one line and never tell the key; nothing is billed
twice; no place, no connection and no file is left; and the same client works
afterwards.

`python tests/faults/matrix.py` is the whole of it; `nox -s faults` runs it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import socket
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any, Final, get_args
from urllib.parse import urlsplit

import aiohttp
import aiohttp.abc
import attrs
from PIL import Image


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))

from ideogram_async import (
    GenerateLegacy,
    IdeogramClient,
    RemixV3,
    RetryPolicy,
    SubmitGenerateV4,
    Upload,
)
from ideogram_async._polling import Polling
from ideogram_async.sandbox import Sandbox, WebhookPlan
from ideogram_async.webhooks import WebhookVerifier
from tests.faults.faults import AUTHORITY, ELSEWHERE, certified, trusting
from tests.faults.proxy import CAT, Fault, FaultyProxy
from tests.faults.table import ROWS, Name, Row
from tests.servers import HOST


KEY: Final = "a-key/that+nobody=may:see"
QUICK: Final = RetryPolicy(attempts=3, wait_initial=0.005, wait_max=0.01)
SHORT: Final = 0.5
"""Seconds for an attempt, where a fault is silence."""
LONG: Final = 8.0
SLOW: Final = 3.0
LARGEST: Final = 8 << 20
"""Most bytes of a download."""
NUMBERS: Final = count()
STORM: Final = 2
"""How often what is sent again as long as it takes is refused "for ever"."""
PAID: Final = {"generate", "remix"}


# The operations


@attrs.define(eq=False)
class Scene:
    """What a trial plays with.

    Attributes:
        sandbox: The service.
        proxy: What stands before it.
        client: What is tried; it knows the proxy alone.
        direct: A client that knows the sandbox alone.
        folder: Where downloads go.
    """

    sandbox: Sandbox
    proxy: FaultyProxy
    client: IdeogramClient
    direct: IdeogramClient
    folder: Path

    async def run(self, name: Name, prompt: str) -> None:
        """Run an operation."""
        await getattr(self, name)(prompt)

    async def tried(
        self, name: Name, prompt: str, row: Row, *, once: bool
    ) -> BaseException | None:
        """Run an operation within the time that it has; return what it ends with."""
        whole, clock = self.client, time.time
        is_silent = row.fault.is_silent
        is_limited = row.waits or (is_silent and name == "download")
        is_limited |= name == "poll" and not once and row.fates[name].kind == "again"
        self.client = whole.with_options(
            timeout=SHORT if is_silent else LONG, deadline=SHORT if is_limited else None
        )
        try:
            await self.run(name, prompt)
        except Exception as error:  # noqa: BLE001  # any may be wrong
            return error
        finally:
            self.client, time.time = whole, clock
        return None

    def left_over(self, name: Name) -> list[str]:
        """Return what is still in use."""
        transport, gate = self.client._transport, self.client.limiter
        session: Any = transport._given or transport._own
        used = {
            "places": gate.in_use + gate.waiting,
            "downloads": self.client._downloader.limiter.in_use,
            "connections": len(session.connector._acquired),
            "files": len(list(self.folder.iterdir())),
            "requests elsewhere": len(ELSEWHERE.requests) * (name != "download"),
            "keys elsewhere": sum(KEY.encode() in r.head for r in ELSEWHERE.requests),
        }
        return [f"{number} {what} left" for what, number in used.items() if number]

    async def generate(self, prompt: str) -> None:
        """Pay for a generation, as JSON."""
        answer = await self.client.send(GenerateLegacy(prompt))
        assert answer.data[0].prompt == prompt

    async def remix(self, prompt: str) -> None:
        """Pay for a remix, as a form with a file."""
        answer = await self.client.send(RemixV3(prompt, image=Upload.from_bytes(PHOTO)))
        assert answer.data[0].prompt == prompt

    async def list(self, _: str) -> None:
        """Ask something."""
        assert await self.client.list_models() == await self.direct.list_models()

    async def poll(self, prompt: str) -> None:
        """Wait for a generation that was submitted."""
        later = SubmitGenerateV4(
            prompt, webhook_url="https://example.com/", resolution="1024x1024"
        )
        submitted = await self.direct.send(later)
        answer = await self.client.wait_for_generation(submitted.generation_id)
        assert answer.data[0].url

    async def download(self, _: str) -> None:
        """Download an image."""
        path = self.folder / "cat.png"
        await self.client.download(self.proxy.link, path, max_bytes=LARGEST)
        assert path.read_bytes() == CAT
        path.unlink()

    async def keys(self, prompt: str) -> None:
        """Check a webhook, whose keys must be fetched for that."""
        told = {"generation_id": prompt, "created": "2025-01-23T04:56:07Z", "data": []}
        body, webhooks = json.dumps(told).encode(), self.sandbox.webhooks
        assert webhooks is not None
        headers = webhooks.signer.headers(prompt, body, time.time())
        found = await WebhookVerifier(self.client).verify(headers, body)
        assert found.generation_id == prompt


def photo() -> bytes:
    """Return an image of 60 kB that can't be packed."""
    size = (200, 100)
    noise = random.Random(1).randbytes(size[0] * size[1] * 3)
    file = BytesIO()
    Image.frombytes("RGB", size, noise).save(file, "PNG")
    return file.getvalue()


PHOTO: Final = photo()
NAMES: Final[tuple[Name, ...]] = get_args(Name)

Case = tuple[Row, Name, bool]
"""A row of the table, an operation, and whether the fault strikes once only."""


def cases() -> list[Case]:
    """Return every trial there is."""
    return [
        (row, name, once)
        for row in ROWS
        for name in NAMES
        for once in ((True,) if row.is_done_once else (True, False))
    ]


@asynccontextmanager
async def service() -> AsyncIterator[Sandbox]:
    """Start the sandbox, and a server elsewhere."""
    async with Sandbox(latency=0, webhooks=WebhookPlan()) as sandbox, ELSEWHERE:
        yield sandbox


# A trial


class Names(aiohttp.abc.AbstractResolver):
    """Says where the service is, unless the fault has it otherwise."""

    def __init__(self, proxy: FaultyProxy) -> None:
        self._proxy = proxy
        self._stack = ExitStack()

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,
    ) -> list[aiohttp.abc.ResolveResult]:
        """Return a port of this machine."""
        found = self._proxy.drawn(early=True).port(port, self._stack)
        if found is None:
            raise OSError(None, "no such name")
        result = aiohttp.abc.ResolveResult(
            hostname=host, host=HOST, port=found, family=family, proto=0, flags=0
        )
        return [result]

    async def close(self) -> None:
        """Let go of the ports."""
        self._stack.close()


@asynccontextmanager
async def scene_of(
    sandbox: Sandbox, fault: Fault, kind: type[FaultyProxy] = FaultyProxy
) -> AsyncIterator[Scene]:
    """Set the scene for one trial."""
    options: dict[str, Any] = {"retry": QUICK, "timeout": LONG}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tls = certified(AUTHORITY) if fault.needs_tls else None
        port = urlsplit(sandbox.url).port or 0
        proxy = await stack.enter_async_context(kind(fault, port, tls))
        if fault.needs_tls:
            options["ssl"] = trusting()
        if fault.needs_name:
            connector = aiohttp.TCPConnector(
                resolver=Names(proxy), use_dns_cache=False, force_close=True
            )
            session = aiohttp.ClientSession(connector=connector)
            options["session"] = await stack.enter_async_context(session)
        client = IdeogramClient(KEY, base_url=proxy.url, **options)
        client._poller.polling = Polling(initial=0.005, longest=0.01, spacing=0.0)
        await stack.enter_async_context(client)
        direct = IdeogramClient(KEY, base_url=sandbox.url)
        await stack.enter_async_context(direct)
        yield Scene(sandbox, proxy, client, direct, folder)


async def trial(sandbox: Sandbox, row: Row, name: Name, *, once: bool) -> list[str]:
    """Let the fault of *row* strike an operation, and say what is not as it must be."""
    fate, fault = row.fates[name], row.fault
    ELSEWHERE.requests.clear()
    async with scene_of(sandbox, fault) as scene:
        if fault.needs_idle:
            await scene.run(name, "warm up")
            await scene.proxy.strike_idle()
        prompt = f"{row.name} {next(NUMBERS)}"
        lasts = STORM if name in PAID and fate.error is None else math.inf
        scene.proxy.left = 1 if once else lasts
        error = await scene.tried(name, prompt, once=once, row=row)
        scene.proxy.left = 0
        expected = fate.error if fate.kind == "ends" or not once else None
        wrong = [] if type(error) is (expected or type(None)) else [f"it is {error!r}"]
        wrong += told(error) if error else []
        wrong += scene.left_over(name)
        bills = int(name == "poll" or (name in PAID and (not error or fault.runs)))
        billed = sandbox.ledger.times_billed[prompt]
        if billed != bills:
            wrong.append(f"billed {billed} times, not {bills}")
        if not row.waits:
            try:
                await scene.run(name, f"{prompt} afterwards")
            except Exception as failure:  # noqa: BLE001  # any is wrong
                wrong.append(f"afterwards {failure!r}")
    return wrong


def told(error: BaseException) -> list[str]:
    """Return what *error* tells that it must not."""
    wrong: list[str] = []
    if len(str(error).splitlines()) != 1 or not str(error).isprintable():
        wrong.append(f"it is not one line: {str(error)!r}")
    spoken = "".join(traceback.format_exception(error))
    link: BaseException | None = error
    while link is not None:
        spoken += f"{link!r} {shown(link)!r}"
        link = link.__cause__ or link.__context__
    return [*wrong, "it tells the key"] if KEY in spoken else wrong


def shown(error: BaseException) -> dict[str, Any]:
    """Return the attributes of *error*, and of a body its beginning."""
    return {n: v[:10_000] if n == "body" else v for n, v in vars(error).items()}


async def main(pattern: str) -> int:
    """Run the trials whose name has *pattern*; print the counts."""
    counts, wrong_ones = Counter[str](), 0
    async with service() as sandbox:
        for row, name, once in cases():
            title = f"{row.name}, {name}, {'once' if once else 'for ever'}"
            if pattern not in title:
                continue
            began = time.perf_counter()
            wrong = await trial(sandbox, row, name, once=once)
            seconds = time.perf_counter() - began
            counts[row.group] += 1
            wrong_ones += bool(wrong)
            if wrong or seconds > SLOW:
                print(f"{title} ({seconds:.1f} s): {'; '.join(wrong) or 'slow'}")  # noqa: T201
    for group, number in counts.items():
        print(f"{number:5} {group}")  # noqa: T201
    print(f"{counts.total():5} trials, {wrong_ones} not as the table says")  # noqa: T201
    return min(wrong_ones, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("pattern", nargs="?", default="", help="a part of the name")
    sys.exit(asyncio.run(main(parser.parse_args().pattern)))
