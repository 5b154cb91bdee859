"""Uses of the public API, read by mypy and pyright and never run."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, assert_type

from ideogram_async import (
    AsyncGenerationResponse,
    Batch,
    ColorPalette,
    ColorPaletteMember,
    Cost,
    Failure,
    Gate,
    GenerateV3,
    GenerationResponse,
    IdeogramClient,
    IdeogramError,
    ImageObject,
    ImageResponse,
    Limiter,
    Outcomes,
    RateLimitError,
    RemixV3,
    Request,
    RetryPolicy,
    RunningBatch,
    Success,
    TransportError,
    Upload,
    WebhookVerificationError,
)
from ideogram_async.inputs import BadRow, PromptFile
from ideogram_async.jobs import Job, Plan, Problem, Progress, Report
from ideogram_async.providers import PROVIDERS, Ideogram, Pixazo, Provider
from ideogram_async.requests import REQUESTS
from ideogram_async.sandbox import Sandbox, WebhookPlan
from ideogram_async.webhooks import WebhookFault, WebhookVerifier


async def one_request() -> None:
    """Every verb has the answer of its class, and so has `send`."""
    async with IdeogramClient("key", timeout=60, limiter=Limiter(4)) as client:
        assert_type(client, IdeogramClient)
        response = await client.generate(
            "a cat", aspect_ratio="16x9", num_images=2, rendering_speed="TURBO"
        )
        assert_type(response, ImageResponse)
        assert_type(response.data, tuple[ImageObject, ...])
        assert_type(response.created, datetime)
        assert_type(response.data[0].url, str | None)
        assert_type(response.data[0].extra, Mapping[str, Any])
        assert_type(response.data[0].expires_at, datetime | None)
        assert_type(await client.remix("a cat", image=picture()), ImageResponse)
        assert_type(await client.send(GenerateV3("a cat")), ImageResponse)
        assert_type(await client.send(RemixV3("a cat", image=picture())), ImageResponse)
        assert_type(await client.download(response.data[0], "cat.png"), Path)
        assert_type(await client.download("https://x/1.png", Path("1.png")), Path)


async def generations(client: IdeogramClient) -> None:
    """What is made later is waited for, or told by a webhook: the same answer."""
    hook = "https://example.com/hook"
    accepted = await client.submit_generate_v4("a cat", webhook_url=hook)
    assert_type(accepted, AsyncGenerationResponse)
    done = await client.wait_for_generation(accepted.generation_id, timeout=60)
    assert_type(done, GenerationResponse)
    verifier = WebhookVerifier(client, tolerance=60.0)
    assert_type(await verifier.verify({}, b"", now=0.0), GenerationResponse)
    assert_type(WebhookVerificationError().reason, WebhookFault | None)
    Sandbox(webhooks=WebhookPlan(rates={"late": 0.1}))
    WebhookPlan(rates={"early": 0.1})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]  # no such trick
    Job(["a cat"], "out", asynchronous=True, webhook_url=hook)


async def options(client: IdeogramClient) -> None:
    """A copy with other options is a client."""
    patient = client.with_options(
        deadline=None, timeout=300, retry=RetryPolicy(attempts=2)
    )
    assert_type(patient, IdeogramClient)
    assert_type(await patient.generate("a cat"), ImageResponse)
    assert_type(client.limiter, Gate)


def prompts() -> Iterator[str]:
    """Yield prompts."""
    yield "a cat"


async def questions() -> AsyncIterator[RemixV3]:
    """Yield requests."""
    yield RemixV3("a cat", image=picture())


async def many_requests(client: IdeogramClient) -> None:
    """Batches and streams know the answers of their requests."""
    mixed: list[str | Request[ImageResponse]] = ["a cat", GenerateV3("a dog")]
    batch = await client.generate_many(["a cat"], rendering_speed="TURBO")
    assert_type(batch, Batch[ImageResponse])
    assert_type(batch[0], Success[ImageResponse] | Failure)
    assert_type(batch[1:], Batch[ImageResponse])
    assert_type(batch.images, list[ImageObject])
    assert_type(batch.successes, list[Success[ImageResponse]])
    assert_type(batch.successes[0].response, ImageResponse)
    assert_type(batch.failures, list[Failure])
    assert_type(batch.failures[0].error, Exception)
    assert_type(await client.generate_many(prompts()), Batch[ImageResponse])
    assert_type(await client.generate_many(mixed), Batch[ImageResponse])
    assert_type(await client.send_many([GenerateV3("a cat")]), Batch[ImageResponse])
    assert_type(await client.send_many(questions()), Batch[ImageResponse])


async def streams(client: IdeogramClient) -> None:
    """Outcomes are told apart by their class."""
    stream = client.stream_many([GenerateV3("a cat")])
    assert_type(stream, AbstractAsyncContextManager[Outcomes[ImageResponse]])
    async with stream as outcomes:
        async for outcome in outcomes:
            assert_type(outcome, Success[ImageResponse] | Failure)
            assert_type(outcome.index, int)
            match outcome:
                case Success():
                    assert_type(outcome.response, ImageResponse)
                case Failure():
                    assert_type(outcome.request, Request[Any] | None)
        outcomes.stop("enough")
    async with client.stream_many(prompts(), aspect_ratio="1x1") as from_prompts:
        async for each in from_prompts:
            assert_type(each, Success[ImageResponse] | Failure)


async def running(client: IdeogramClient) -> None:
    """A started batch knows the answers of its requests."""
    started = client.start_many([GenerateV3("a cat")])
    assert_type(started, RunningBatch[ImageResponse])
    assert_type(await started.result(), Batch[ImageResponse])
    async for outcome in started.outcomes(start=1):
        assert_type(outcome, Success[ImageResponse] | Failure)
    assert_type(client.start_many(["a cat"], seed=1), RunningBatch[ImageResponse])
    assert_type(started.total, int | None)
    started.cancel("enough")


def costs() -> None:
    """Providers are named or made, alone or in a list; requests have a cost."""
    client = IdeogramClient(provider=["ideogram", Pixazo("key")])
    assert_type(IdeogramClient(provider=Ideogram("key")), IdeogramClient)
    assert_type(client.supports(GenerateV3), bool)
    assert_type(client.supports(GenerateV3("a cat")), bool)
    cost = client.estimate(prompts(), rendering_speed="TURBO")
    assert_type(cost, Cost)
    assert_type(client.estimate("a cat"), Cost)
    assert_type(cost.amount, Decimal | None)
    assert_type(cost.unit, str | None)
    assert_type(cost.items, tuple[Cost, ...])


def told(progress: Progress) -> None:
    """Read how far a job is."""
    assert_type(progress.total, int | None)
    assert_type(progress.counts["saved"], int)
    assert_type(progress.spent, Decimal)


async def jobs(client: IdeogramClient) -> None:
    """A job takes rows of any source, and its report knows what is left."""
    for source in (["a cat"], prompts(), prompts, questions(), questions):
        job = Job(source, "out", budget="25.00", on_progress=told, embed_prompt=True)
    job = Job(PromptFile("prompts.csv").requests, Path("out"), price=client.estimate)
    assert_type(await job.plan(client), Plan)
    report = await job.run(client)
    assert_type(report, Report)
    assert_type(report.problems, tuple[Problem, ...])
    assert_type(report.problems[0].error, Exception)
    assert_type(report.ended, BaseException | None)
    assert_type(report.manifest, Path | None)
    assert_type(report.is_complete, bool)


def files() -> None:
    """A row of a file is a request, or says what is wrong with it."""
    file = PromptFile("prompts.csv", GenerateV3, {"seed": 7})
    for row in file.rows():
        assert_type(row, Request[Any] | BadRow)
    assert_type(file.count(), int)


def picture() -> Upload:
    """Make an upload of each kind."""
    assert_type(Upload.from_path("cat.png"), Upload)
    with Path("cat.png").open("rb") as file:
        assert_type(Upload.from_stream(file), Upload)
    return Upload.from_bytes(b"", "cat.png")


def values() -> None:
    """Fields keep their types, and closed sets are completed."""
    request = GenerateV3(
        "a cat",
        style_reference_images=(picture(),),
        color_palette=ColorPalette(members=(ColorPaletteMember(color_hex="#fff"),)),
    )
    assert_type(request.prompt, str)
    assert_type(request.num_images, int | None)
    assert_type(request.style_reference_images, tuple[Upload, ...] | None)
    assert_type(request.places, int)
    assert_type(REQUESTS["GenerateV3"], type[Request[Any]])
    assert_type(PROVIDERS["ideogram"], type[Provider])


def errors(error: IdeogramError) -> None:
    """Each error has the facts of its kind."""
    assert_type(error.provider, str | None)
    assert_type(error.request, Request[Any] | None)
    if isinstance(error, RateLimitError):
        assert_type(error.retry_after, float | None)
        assert_type(error.status, int)
    if isinstance(error, TransportError) and error.delivery == "not_sent":
        assert_type(error.args, tuple[Any, ...])


async def mistakes(client: IdeogramClient) -> None:
    """What can't be right is an error of types already."""
    await client.generate("a cat", promt="a dog")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.generate("a cat", aspect_ratio="17x9")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.generate("a cat", 7)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.remix("a cat")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    request = GenerateV3("a cat")
    request.seed = 7  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
