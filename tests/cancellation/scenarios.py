"""The calls that are cancelled: all that a client waits in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import attrs

from ideogram_async import (
    BadRequestError,
    GenerateV3,
    GetGeneration,
    IdeogramClient,
    RemixV4,
    SubmitGenerateV4,
    Upload,
)
from ideogram_async.jobs import Job
from ideogram_async.requests import Request

from ..soak.accounts import Accounts
from ..soak.service import PICTURE
from ..soak.traffic import TOLD, fate, prompt_of, states_of


HOOK: Final = "https://example.com/hook"


@attrs.define
class Trial:
    """One call to be cancelled, and what it needs.

    Attributes:
        client: Of one provider.
        failing_over: A client of two, of which the first is not there.
        sharing: A client whose limit is shared with other processes.
        accounts: Who notes what was asked.
        out: A folder of its own.
        link: A link to a picture.
        name: Its name, which the prompts begin with.
        prompts: The prompts, so far.
        told: Those of whom something was told.
    """

    client: IdeogramClient
    failing_over: IdeogramClient
    sharing: IdeogramClient
    accounts: Accounts
    out: Path
    link: str
    name: str
    prompts: list[str] = attrs.field(factory=list[str])
    told: set[str] = attrs.field(factory=set[str])

    def prompt(self, word: str = "") -> str:
        """Return a new prompt."""
        self.prompts.append(f"{self.name} {len(self.prompts)} {word}")
        return self.prompts[-1]

    def image(self, word: str = "") -> GenerateV3:
        """Return a request for an image."""
        return self.asked(GenerateV3(self.prompt(word)))

    def asked(self, request: Request[Any]) -> Any:
        """Note the price of *request*, and return it."""
        cost = self.client.estimate(request)
        assert cost.amount is not None
        self.accounts.asked(self.prompts[-1], cost.amount)
        return request

    def tell(self, prompt: str, what: str) -> None:
        """Note what was told of a request."""
        self.told.add(prompt)
        self.accounts.tell(prompt, what)


async def send(trial: Trial) -> None:
    """One request."""
    await trial.client.send(trial.image())


async def send_with_deadline(trial: Trial) -> None:
    """One request of limited time."""
    await trial.client.with_options(deadline=60).send(trial.image())


async def send_again(trial: Trial) -> None:
    """A request that is refused, and sent again."""
    await trial.client.send(trial.image("again"))


async def wait_for_places(trial: Trial) -> None:
    """A request that waits for its place, which comes free."""
    gate = trial.client.limiter
    taken = [gate.try_acquire(1) for _ in range(gate.limit)]

    def give_back() -> None:
        for lease in taken:
            assert lease is not None
            gate.release(lease)

    asyncio.get_running_loop().call_later(0.004, give_back)
    await trial.client.send(trial.image())


async def share(trial: Trial) -> None:
    """A request within a limit that other processes share."""
    await trial.sharing.send(trial.image())


async def share_many(trial: Trial) -> None:
    """A batch within such a limit; some of it waits."""
    await trial.sharing.send_many([trial.image() for _ in range(5)])


async def fail_over(trial: Trial) -> None:
    """A request to two providers, the first of which is not there."""
    await trial.failing_over.send(trial.image())


async def upload_file(trial: Trial) -> None:
    """An upload from disk."""
    path = trial.out / "photo.png"
    upload = Upload.from_path(path)
    await trial.client.send(trial.asked(RemixV4(trial.prompt(), image=upload)))


async def upload_stream(trial: Trial) -> None:
    """An upload from an async generator."""

    async def pieces() -> AsyncIterator[bytes]:
        content = (trial.out / "photo.png").read_bytes()
        for at in range(0, len(content), 20_000):
            await asyncio.sleep(0)
            yield content[at : at + 20_000]

    upload = Upload.from_stream(pieces(), "photo.png")
    await trial.client.send(trial.asked(RemixV4(trial.prompt(), image=upload)))


async def upload_link(trial: Trial) -> None:
    """An upload from a link; what it gives is no picture, so it is refused."""
    upload = Upload.from_url(trial.link)
    request = RemixV4(trial.prompt(), image=upload)
    with suppress(BadRequestError):
        await trial.client.send(trial.asked(request))


async def stream(trial: Trial) -> None:
    """A stream."""
    requests = [trial.image("again" * (n == 1)) for n in range(4)]
    async with trial.client.stream_many(requests) as outcomes:
        async for _ in outcomes:
            pass


async def collect(trial: Trial) -> None:
    """A batch that is collected."""
    await trial.client.send_many([trial.image() for _ in range(4)])


async def start(trial: Trial) -> None:
    """A batch of the client, whose result is waited for."""
    running = trial.client.start_many([trial.image() for _ in range(3)])
    try:
        await running.result()
    except BaseException:
        batch = await asyncio.shield(asyncio.create_task(running.result()))
        assert len(batch.successes) == 3, "who left has harmed the batch"
        raise


async def abandon(trial: Trial) -> None:
    """A batch of the client that is abandoned where its listener is cancelled."""
    requests = [trial.image("again" * (n == 1)) for n in range(3)]
    running = trial.client.start_many(requests)
    try:
        await running.result()
    except BaseException:
        running.abandon()
        raise
    finally:
        for outcome in await running.result():
            assert outcome.request is not None
            trial.tell(prompt_of(outcome.request), fate(outcome))


async def close(trial: Trial) -> None:
    """A client that is closed while a batch of it runs."""
    trial.client.start_many([trial.image() for _ in range(3)])
    await asyncio.sleep(0)
    await trial.client.aclose()


async def poll(trial: Trial) -> None:
    """A generation that is submitted, and waited for."""
    request = SubmitGenerateV4(trial.prompt(), webhook_url=HOOK)
    submitted = await trial.client.send(trial.asked(request))
    made = await trial.client.wait_for_generation(submitted.generation_id)
    await trial.client.send(GetGeneration(made.generation_id))


async def download(trial: Trial) -> None:
    """A picture that is saved."""
    saved = await trial.client.download(trial.link, trial.out / "saved.png")
    assert saved.read_bytes() == PICTURE
    saved.unlink()


async def job(trial: Trial) -> None:
    """A job."""
    requests = [trial.image() for _ in range(2)]
    await Job(requests, trial.out / "job").run(trial.client)


async def job_left(trial: Trial) -> None:
    """A job that is left where whoever waits for it is cancelled."""
    requests = [trial.image() for _ in range(2)]
    made = Job(requests, trial.out / "job")
    run = asyncio.create_task(made.run(trial.client))
    try:
        await asyncio.shield(run)
    except BaseException:
        made.leave()
        raise
    finally:
        await run
        states = states_of(trial.out / "job")
        for prompt in trial.prompts:
            trial.tell(prompt, TOLD[states.get(prompt, "pending")])


async def job_later(trial: Trial) -> None:
    """A job whose images are made later."""
    prompts = [trial.prompt() for _ in range(2)]
    for prompt in prompts:
        request = SubmitGenerateV4(prompt, webhook_url=HOOK)
        trial.accounts.asked(prompt, trial.client.estimate(request).amount)
    made = Job(prompts, trial.out / "job", asynchronous=True, webhook_url=HOOK)
    await made.run(trial.client)


SCENARIOS: Final[dict[str, Callable[[Trial], Awaitable[None]]]] = {
    each.__name__: each
    for each in (
        *(send, send_with_deadline, send_again, wait_for_places, fail_over, share),
        *(
            share_many,
            upload_file,
            upload_stream,
            upload_link,
            stream,
            collect,
            start,
            abandon,
            close,
        ),
        *(poll, download, job, job_left, job_later),
    )
}
