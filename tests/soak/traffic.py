"""The traffic of the soak: callers that do everything the client can, for ever."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
from PIL import Image

from ideogram_async import (
    DecodeError,
    DownloadError,
    EditWithPrompt,
    GenerateV3,
    GenerateV4,
    IdeogramClient,
    IdeogramError,
    ImageObject,
    OutcomeUnknownError,
    RemixV4,
    SubmitGenerateV4,
    Success,
    Upload,
)
from ideogram_async.jobs import Job
from ideogram_async.requests import Request

from .accounts import Accounts
from .service import PICTURE


UNKNOWN = (OutcomeUnknownError, DecodeError)
TOLD = {
    "pending": "not sent",
    "failed": "not sent",
    "unknown": "unknown",
    "answered": "answered",
    "withheld": "answered",
    "saved": "answered",
}
"""What the state of an item in a job's journal says."""
HOOK = "https://example.com/hook"


def _photo() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((320, 320), 90).save(file, "PNG")
    return file.getvalue()


PHOTO = _photo()
"""A picture of 100 kB."""


class Traffic:
    """What callers do, one kind after another.

    Attributes:
        done: How often each kind was done.
        lost: Downloads that ended with an error, and then succeeded the second time.
        problems: What must not happen.
    """

    def __init__(self, client: IdeogramClient, accounts: Accounts, out: Path) -> None:
        self.client = client
        self.accounts = accounts
        self.out = out
        self.done = Counter[str]()
        self.lost = 0
        self.problems: list[str] = []
        self._numbers = itertools.count()
        self._photo = out / "photo.png"
        self._photo.write_bytes(PHOTO)
        self.kinds: list[Callable[[], Awaitable[None]]] = [
            *(self.generate, self.generate, self.edit, self.remix, self.many),
            *(self.running, self.stream, self.later, self.job),
            *(self.cancelled, self.timed_out, self.scoped, self.hurried),
        ]

    async def one(self) -> None:
        """Do something."""
        kind = random.choice(self.kinds)
        try:
            await kind()
        except Exception as error:  # noqa: BLE001  # told at the end
            self.problems.append(f"{kind.__name__}: {error!r:.300}")
        self.done[kind.__name__] += 1

    def prompt(self, kind: str) -> str:
        """Return a new prompt; the picture of some is withheld."""
        withheld = " withheld" if random.random() < 0.02 else ""
        return f"soak {next(self._numbers)} {kind}{withheld}"

    def asked(self, request: Request[Any]) -> Any:
        """Note the price of *request*, and return it."""
        cost = self.client.estimate(request)
        self.accounts.asked(prompt_of(request), cost.amount or Decimal(0))
        return request

    def image(self, kind: str) -> GenerateV3 | GenerateV4:
        """Return a request for one to four images."""
        prompt = self.prompt(kind)
        if random.random() < 0.4:
            return self.asked(GenerateV4(prompt, rendering_speed="TURBO"))
        number = random.choice((1, 1, 2, 4))
        return self.asked(GenerateV3(prompt, num_images=number))

    async def send(
        self, request: Request[Any], client: IdeogramClient | None = None
    ) -> Any:
        """Send *request*, note what was told, and return the answer, if any."""
        prompt, told = prompt_of(request), "cancelled"
        try:
            answer = await (client or self.client).send(request)
            told = "answered"
        except UNKNOWN:
            told = "unknown"
        except IdeogramError:
            told = "not sent"
        else:
            return answer
        finally:
            self.accounts.tell(prompt, told)
        return None

    async def save(self, image: ImageObject) -> None:
        """Save and compare an image; one that failed is saved again."""
        path = self.out / f"{next(self._numbers)}.png"
        try:
            await self.client.download(image, path)
        except DownloadError:
            self.lost += 1
            await self.client.download(image, path)
        if path.read_bytes() != PICTURE:
            self.problems.append(f"{path.name} is not what was served")
        path.unlink()

    async def generate(self) -> None:
        """Generate, and save one of the images."""
        answer = await self.send(self.image("generate"))
        if answer and answer.data[0].url:
            await self.save(answer.data[0])

    async def edit(self) -> None:
        """Edit a picture from a path, and one from memory."""
        images = (Upload.from_path(self._photo), Upload.from_bytes(PHOTO, "b.png"))
        request = EditWithPrompt(self.prompt("edit"), images=images)
        await self.send(self.asked(request))

    async def remix(self) -> None:
        """Remix a picture from an async stream."""

        async def stream() -> AsyncIterator[bytes]:
            for at in range(0, len(PHOTO), 20_000):
                await asyncio.sleep(0)
                yield PHOTO[at : at + 20_000]

        upload = Upload.from_stream(stream(), "c.png")
        await self.send(self.asked(RemixV4(self.prompt("remix"), image=upload)))

    async def many(self) -> None:
        """Collect a batch."""
        batch = await self.client.send_many([self.image("many") for _ in range(6)])
        for outcome in batch:
            self._note(outcome)

    async def running(self) -> None:
        """Start a batch whose listeners leave; some are abandoned."""
        requests = [self.image("running") for _ in range(6)]
        running = self.client.start_many(requests)

        async def listen() -> None:
            async for _ in running.outcomes():
                await asyncio.sleep(0)

        listeners = [asyncio.create_task(listen()) for _ in range(3)]
        await asyncio.sleep(random.uniform(0, 1.5))
        for each in listeners:
            each.cancel()
        await asyncio.wait(listeners)
        if (drawn := random.random()) < 0.3:
            running.cancel() if drawn < 0.15 else running.abandon()
        batch = await running.result()
        if len(batch) != len(requests):
            for request in requests[len(batch) :]:  # never drawn
                self.accounts.tell(prompt_of(request), "not sent")
        for outcome in batch:
            self._note(outcome)

    async def stream(self) -> None:
        """Leave a stream of many after three outcomes."""
        requests = {prompt_of(r): r for r in (self.image("stream") for _ in range(8))}
        async with self.client.stream_many(list(requests.values())) as outcomes:
            for _ in range(3):
                outcome = await anext(outcomes)
                if outcome.request is None:
                    raise outcome.error
                del requests[prompt_of(outcome.request)]
                self._note(outcome)
        for prompt in requests:
            self.accounts.tell(prompt, "cancelled")

    async def later(self) -> None:
        """Submit a generation, and wait for it."""
        prompt = self.prompt("later")
        request = SubmitGenerateV4(prompt, webhook_url=HOOK, rendering_speed="TURBO")
        if answer := await self.send(self.asked(request)):
            wait = self.client.wait_for_generation
            try:
                made = await wait(answer.generation_id)
            except DecodeError:  # half an answer to a poll that looked whole
                made = await wait(answer.generation_id)
            if made.data[0].url:
                await self.save(made.data[0])

    async def job(self) -> None:
        """Run a job in a folder; some are stopped."""
        out = self.out / f"job {next(self._numbers)}"
        requests = [self.image("job") for _ in range(6)]
        job = Job(requests, out, budget=100)
        stopping = asyncio.get_running_loop().call_later(random.uniform(0, 9), job.stop)
        report = await job.run(self.client)
        stopping.cancel()
        states = states_of(out)
        for request in requests:
            state = states.get(prompt_of(request), "pending")
            self.accounts.tell(prompt_of(request), TOLD[state])
        if report.counts["failed"]:
            self.problems.append(f"{report.counts} {report.problems}")
        await asyncio.to_thread(shutil.rmtree, out)

    async def cancelled(self) -> None:
        """Cancel the task of a request."""
        task = asyncio.create_task(self.send(self.image("cancelled")))
        await asyncio.sleep(random.uniform(0, 1.5))
        task.cancel()
        await asyncio.wait([task])

    async def timed_out(self) -> None:
        """Leave a request by a timeout of asyncio."""
        with suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0, 1.5)):
                await self.send(self.image("timed out"))

    async def scoped(self) -> None:
        """Leave an edit by a scope of anyio."""
        upload = Upload.from_path(self._photo)
        request = EditWithPrompt(self.prompt("scoped"), images=(upload,))
        with anyio.move_on_after(random.uniform(0, 1.5)):
            await self.send(self.asked(request))

    async def hurried(self) -> None:
        """Send with a deadline that is short."""
        client = self.client.with_options(deadline=random.uniform(0.05, 1.5))
        await self.send(self.image("hurried"), client)

    def _note(self, outcome: Any) -> None:
        prompt = prompt_of(outcome.request)
        self.accounts.tell(prompt, fate(outcome))


def fate(outcome: Any) -> str:
    """Return what an outcome of a batch tells."""
    if isinstance(outcome, Success):
        return "answered"
    return "unknown" if isinstance(outcome.error, UNKNOWN) else "not sent"


def prompt_of(request: Any) -> str:
    """Return the prompt of a request, whatever its field is called."""
    fields = vars(request)
    return str(fields.get("prompt") or fields["text_prompt"])


def states_of(out: Path) -> dict[str, str]:
    """Return the states of a job by prompts, as its journal has them."""
    with closing(sqlite3.connect(out / "journal.sqlite")) as journal:
        rows = journal.execute(
            "SELECT request, state FROM items WHERE request IS NOT NULL"
        ).fetchall()
    asked = ((json.loads(request), state) for request, state in rows)
    return {each.get("prompt") or each["text_prompt"]: state for each, state in asked}
