"""Traces and metrics, through OpenTelemetry's real SDK."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.trace import SpanKind, StatusCode, get_current_span

from ideogram_async import (
    ConfigurationError,
    DownloadError,
    GenerateV3,
    IdeogramClient,
    IdeogramError,
    Limiter,
    RetryPolicy,
    Upload,
)
from ideogram_async.jobs import Job
from ideogram_async.sandbox import Sandbox
from ideogram_async.telemetry import OpenTelemetry

from .failover import asking
from .servers import (
    HOST,
    PNG,
    QUICK,
    Server,
    answer,
    answer_body,
    capped,
    client_of,
    closed_port,
    fail,
    refuse,
    reply,
    serving,
    silence,
    until,
)
from .tracing import Collector, seconds


KEY = "sk-the-key-of-this-test"
WORD = "zyzzyva"


@pytest.fixture
def collector() -> Collector:
    """Return an empty collector."""
    return Collector()


async def test_the_trace_of_a_batch_under_a_limit(collector: Collector) -> None:
    """A batch of 50 with 429s and retries shows its true tree, and true durations."""
    service = 0.03
    flaky = refuse(503, headers={"Retry-After": "0"})

    async with serving(
        *(flaky, flaky, capped(4, seconds=service)), hooks=collector.hooks
    ) as (server, client):
        with collector.tracer.start_as_current_span("the caller"):
            batch = await client.generate_many(f"{WORD} {n}" for n in range(50))
        stats = client.stats()

    (caller,) = collector.named("the caller")
    requests = collector.below(caller)
    assert batch.failures == []
    assert {span.name for span in requests} == {"ideogram.generate_v3"}
    assert len(requests) == 50
    assert len(collector.named("POST")) == len(server.requests) == stats.attempts > 52
    assert len(collector.spans) == 1 + 50 + stats.attempts
    for span in requests:
        attempts = collector.below(span)
        *refused, served = [a.attributes["http.response.status_code"] for a in attempts]
        assert (served, set(refused) <= {429, 503}) == (200, True)
        assert [a.attributes["ideogram.attempt"] for a in attempts] == list(
            range(1, len(attempts) + 1)
        )
        assert span.attributes["ideogram.attempts"] == len(attempts)
        assert len(span.events) == len(refused)
        waits = [a.attributes["ideogram.queue.seconds"] for a in attempts]
        total = span.attributes["ideogram.queue.seconds"]
        assert total == pytest.approx(sum(waits))
        assert seconds(attempts[-1]) >= service
        assert seconds(span) >= total + sum(map(seconds, attempts)) - 0.001
        assert all(span.start_time <= a.start_time for a in attempts)
        assert all(a.end_time <= span.end_time for a in attempts)
        pairs = itertools.pairwise(attempts)
        assert all(one.end_time <= other.start_time for one, other in pairs)
    assert collector.sum("ideogram.client.refusals") == stats.refusals > 0
    assert collector.sum("ideogram.client.retries") == stats.retries
    assert collector.sum("ideogram.client.images") == 50
    assert collector.sum("ideogram.client.cost") == pytest.approx(3.0)


async def test_the_attributes_of_a_request(collector: Collector) -> None:
    """Attributes follow the conventions for generative AI and HTTP clients."""
    async with serving(refuse(429), answer(), hooks=collector.hooks) as (server, c):
        await c.generate("a cat", num_images=2, seed=7)

    (span,) = collector.named("ideogram.generate_v3")
    refused, served = collector.below(span)
    number = span.attributes["ideogram.request.id"]
    waited = span.attributes["ideogram.queue.seconds"]
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.output.type": "image",
        "gen_ai.provider.name": "ideogram",
        "gen_ai.request.choice.count": 2,
        "gen_ai.request.model": "ideogram-v3",
        "gen_ai.request.seed": 7,
        "http.request.method": "POST",
        "ideogram.attempts": 2,
        "ideogram.cost": 0.12,
        "ideogram.cost.unit": "USD",
        "ideogram.images": 1,
        "ideogram.is_unknown": False,
        "ideogram.operation": "GenerateV3",
        "ideogram.places": 2,
        "ideogram.queue.seconds": waited,
        "ideogram.request.id": number,
        "ideogram.withheld": 0,
        "url.template": "/v1/ideogram-v3/generate",
    }
    assert (span.kind, span.status.status_code) == (SpanKind.CLIENT, StatusCode.UNSET)
    (event,) = span.events
    assert event.name == "ideogram.retry"
    assert event.attributes["error.type"] == "RateLimitError"
    assert (served.name, served.kind) == ("POST", SpanKind.CLIENT)
    assert served.attributes["http.request.resend_count"] == 1
    assert dict(refused.attributes) == {
        "error.type": "429",
        "http.request.method": "POST",
        "http.response.status_code": 429,
        "ideogram.attempt": 1,
        "ideogram.places": 2,
        "ideogram.queue.seconds": 0.0,
        "server.address": HOST,
        "server.port": server.port,
    }
    assert refused.status.status_code is StatusCode.ERROR


async def test_a_request_that_fails(collector: Collector) -> None:
    """An error ends both spans; where no answer came there is no status."""
    hooks, once = collector.hooks, RetryPolicy(attempts=1)
    async with serving(fail(500), hooks=hooks) as (_, client):
        with pytest.raises(IdeogramError):
            await client.generate(WORD)
    nobody = f"http://{HOST}:{closed_port()}"
    async with client_of(nobody, hooks=hooks, retry=once) as client:
        with pytest.raises(IdeogramError):
            await client.generate(WORD)

    failed, lost = collector.named("ideogram.generate_v3")
    (attempt,), (away,) = collector.below(failed), collector.below(lost)
    assert failed.attributes["error.type"] == "OutcomeUnknownError"
    assert failed.attributes["ideogram.is_unknown"] is True
    assert "http.response.status_code" not in failed.attributes
    assert "ideogram.cost" not in failed.attributes
    assert attempt.attributes["error.type"] == "500"
    assert away.attributes["error.type"] == "ConnectionFailedError"
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.status.description is None
    assert WORD not in collector.text()
    assert collector.sum("ideogram.client.unknown") == 1


async def test_an_answer_that_can_not_be_read(collector: Collector) -> None:
    """A success that is none has its status, and the error's name."""
    async with serving(refuse(422), reply(b"{}"), hooks=collector.hooks) as (_, client):
        for _ in range(2):
            with pytest.raises(IdeogramError):
                await client.generate("a cat")

    refused, garbled = collector.named("ideogram.generate_v3")
    (attempt,) = collector.below(garbled)
    assert refused.attributes["http.response.status_code"] == 422
    assert garbled.attributes["error.type"] == "DecodeError"
    assert attempt.attributes["http.response.status_code"] == 200


async def test_a_cut_answer(collector: Collector) -> None:
    """An attempt whose answer was cut off fails, though its status was good."""
    act = reply(answer_body()[:20], length=500)

    async with serving(act, hooks=collector.hooks) as (_, client):
        with pytest.raises(IdeogramError):
            await client.generate("a cat")

    (attempt,) = collector.named("POST")
    assert attempt.attributes["error.type"] == "DecodeError"
    assert attempt.attributes["http.response.status_code"] == 200


async def test_cancelling_ends_the_spans(collector: Collector) -> None:
    """A request that is cancelled ends its spans, and counts as unknown if it left."""
    async with serving(silence, hooks=collector.hooks, limiter=Limiter(1)) as (s, c):
        tasks = [asyncio.create_task(c.generate("a cat")) for _ in range(2)]
        await until(lambda: s.ran == 1)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

        assert not c._failover.listeners.hooks[0]._requests
        assert not c._failover.listeners.hooks[0]._attempts

    spans = collector.named("ideogram.generate_v3")
    assert [len(collector.below(span)) for span in spans] == [1, 0]
    assert {span.attributes["error.type"] for span in spans} == {"CancelledError"}
    assert [span.attributes["ideogram.is_unknown"] for span in spans] == [True, False]
    assert collector.sum("ideogram.client.unknown") == 1


async def test_a_batch_that_is_left(collector: Collector) -> None:
    """Leaving a batch ends every span of it."""
    async with (
        serving(answer(), silence, hooks=collector.hooks) as (_, client),
        client.stream_many(f"p{n}" for n in range(30)) as outcomes,
    ):
        await anext(outcomes)

    (hooks,) = client._failover.listeners.hooks
    assert hooks._requests == hooks._attempts == {}
    assert len(collector.named("ideogram.generate_v3")) == client.stats().requests


async def test_the_current_span_is_as_before(collector: Collector) -> None:
    """A request leaves the caller's current span as it was, however it ends."""
    async with serving(answer(), refuse(422), hooks=collector.hooks) as (_, client):
        with collector.tracer.start_as_current_span("mine") as mine:
            await client.generate("a cat")
            with pytest.raises(IdeogramError):
                await client.generate("a cat")

            assert get_current_span() is mine


async def test_downloads(collector: Collector, tmp_path: Path) -> None:
    """A download is a span with host, size and duration, and without its link."""
    async with (
        Server(reply(PNG), refuse(404)) as images,
        client_of(images.url, hooks=collector.hooks) as client,
    ):
        with collector.tracer.start_as_current_span("the caller"):
            await client.download(f"{images.url}/a?exp=12345", tmp_path / "a.png")
        with pytest.raises(DownloadError):
            await client.download(f"{images.url}/b?exp=12345", tmp_path / "b.png")
        stats = client.stats()

    whole, lost = collector.named("ideogram.download")
    (caller,) = collector.named("the caller")
    assert collector.below(caller) == [whole]
    assert dict(whole.attributes) == {
        "server.address": HOST,
        "http.response.body.size": len(PNG),
    }
    assert lost.attributes["error.type"] == "DownloadError"
    assert seconds(whole) + seconds(lost) == pytest.approx(stats.downloading)
    assert "12345" not in collector.text()
    assert collector.sum("ideogram.client.download.size") == len(PNG)
    taken = collector.points("ideogram.client.download.duration")
    assert sum(point.count for point in taken) == 2


async def test_measurements(collector: Collector) -> None:
    """Histograms have waits and service times; gauges the places and the limit."""
    limiter = Limiter(2, learn=False)

    async with serving(answer(after=0.05), hooks=collector.hooks, limiter=limiter) as (
        _,
        client,
    ):
        task = asyncio.create_task(client.generate_many(["a"] * 6))
        await until(lambda: client.limiter.in_use == 2 and client.stats().answered)
        (in_use,) = collector.points("ideogram.client.places.in_use")
        await task
        stats = client.stats()

    (queue,) = collector.points("ideogram.client.queue.duration")
    (attempt,) = collector.points("ideogram.client.attempt.duration")
    (operation,) = collector.points("gen_ai.client.operation.duration")
    (limit,) = collector.points("ideogram.client.places.limit")
    assert 1 <= in_use.value <= 2
    assert collector.points("ideogram.client.places.in_use")[0].value == 0
    assert limit.value == 2
    assert queue.count == attempt.count == operation.count == 6
    assert queue.sum == pytest.approx(stats.waited)
    assert attempt.sum == pytest.approx(stats.in_service)
    assert dict(operation.attributes) == {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "ideogram",
        "gen_ai.request.model": "ideogram-v3",
        "ideogram.operation": "GenerateV3",
    }
    assert operation.explicit_bounds[0] == 0.01
    assert operation.explicit_bounds[-1] == 81.92


async def test_a_limit_that_changes_is_shown(collector: Collector) -> None:
    """The gauge of the limit follows a refusal."""
    async with serving(refuse(429), hooks=collector.hooks, deadline=0.5) as (_, c):
        with pytest.raises(IdeogramError):
            await c.generate("a cat")

    (limit,) = collector.points("ideogram.client.places.limit")
    assert limit.value == 1


async def test_operations_that_are_no_model(collector: Collector) -> None:
    """What no model does has its own name, and no model."""
    async with serving(reply(b'{"datasets": []}'), hooks=collector.hooks) as (_, c):
        await c.list_datasets()

    (span,) = collector.named("ideogram.list_datasets")
    (attempt,) = collector.below(span)
    assert span.attributes["gen_ai.operation.name"] == "list_datasets"
    assert "gen_ai.request.model" not in span.attributes
    assert "gen_ai.output.type" not in span.attributes
    assert attempt.name == "GET"


async def test_the_id_of_a_generation(collector: Collector) -> None:
    """A submitted generation has its id."""
    body = b'{"generation_id": "g1"}'

    async with serving(reply(body), hooks=collector.hooks) as (_, client):
        await client.submit_generate_v4("a", webhook_url="https://x.example/y")

    (span,) = collector.named("ideogram.submit_generate_v4")
    assert span.attributes["gen_ai.response.id"] == "g1"


async def test_several_providers(collector: Collector) -> None:
    """A request that moved on is one span, with the attempts at both."""
    async with (
        Server(refuse(402)) as first,
        Server(answer()) as second,
        asking(first.url, second.url, hooks=collector.hooks) as (client, _),
    ):
        await client.generate("a cat")

    (span,) = collector.named("ideogram.generate_v3")
    ports = [each.attributes["server.port"] for each in collector.below(span)]
    assert ports == [first.port, second.port]
    assert span.attributes["gen_ai.provider.name"] == "aihubmix"


async def test_jobs(collector: Collector, tmp_path: Path) -> None:
    """The requests and downloads of a job are below the caller's span."""
    async with (
        Sandbox(latency=0.005) as sandbox,
        IdeogramClient(KEY, base_url=sandbox.url, hooks=collector.hooks) as client,
    ):
        with collector.tracer.start_as_current_span("the caller"):
            report = await Job(["a", "b", "c"], tmp_path).run(client)

    (caller,) = collector.named("the caller")
    names = sorted(span.name for span in collector.below(caller))
    assert report.counts["saved"] == 3
    assert names == ["ideogram.download"] * 3 + ["ideogram.generate_v3"] * 3


async def test_a_storm_leaves_no_secret(collector: Collector, tmp_path: Path) -> None:
    """Nothing that is exported of a stormy batch has a key, a prompt or a link."""
    faults: Any = dict.fromkeys(("error_before", "reset", "garble"), 0.1)

    async with (
        Sandbox(limit=3, latency=0.005, faults=faults) as sandbox,
        IdeogramClient(
            KEY, base_url=sandbox.url, retry=QUICK, hooks=collector.hooks
        ) as client,
    ):
        batch = await client.generate_many(f"{WORD} {n}" for n in range(40))
        for place, image in enumerate(batch.images[:3]):
            await client.download(image, tmp_path / f"{place}.png")
        upload = Upload.from_path(tmp_path / "0.png")
        await asyncio.gather(client.remix(WORD, image=upload), return_exceptions=True)

    text = collector.text()
    assert len(collector.spans) > 80
    assert KEY not in text
    assert WORD not in text
    assert "/ephemeral/" not in text
    assert not [image for image in batch.images if image.url in text]


class Received:
    """What a collector of OTLP over HTTP has got.

    Attributes:
        spans: The spans, as they came.
    """

    def __init__(self) -> None:
        self.spans: list[Any] = []

    async def accept(self, request: web.Request) -> web.Response:
        """Take what an exporter posts."""
        message = ExportTraceServiceRequest.FromString(await request.read())
        for resource in message.resource_spans:
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return web.Response()


@pytest.fixture
async def received() -> AsyncIterator[tuple[Received, str]]:
    """Run a collector that speaks OTLP over HTTP."""
    got = Received()
    app = web.Application()
    app.router.add_post("/v1/traces", got.accept)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, HOST, 0)
    await site.start()
    yield got, f"http://{HOST}:{runner.addresses[0][1]}/v1/traces"
    await runner.cleanup()


async def test_export_over_the_wire(
    collector: Collector, received: tuple[Received, str]
) -> None:
    """The tree arrives at a collector that speaks OTLP over HTTP."""
    got, url = received
    async with serving(refuse(429), answer(), hooks=collector.hooks) as (_, client):
        await client.generate("a cat")

    exporter = OTLPSpanExporter(endpoint=url)
    await asyncio.to_thread(exporter.export, collector.spans)
    await asyncio.to_thread(exporter.shutdown)

    *attempts, request = got.spans
    assert [span.name for span in got.spans] == ["POST", "POST", "ideogram.generate_v3"]
    assert {span.parent_span_id for span in attempts} == {request.span_id}
    assert request.end_time_unix_nano > request.start_time_unix_nano


def test_without_the_api_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where opentelemetry-api is missing, the error says which extra has it."""
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "ideogram_async.telemetry")

    with pytest.raises(ConfigurationError, match=r"install 'ideogram-async\[otel\]'"):
        importlib.import_module("ideogram_async.telemetry")


async def test_without_an_sdk_it_does_nothing() -> None:
    """With the API alone, requests work and nothing is recorded."""
    async with serving(answer(), hooks=OpenTelemetry()) as (_, client):
        batch = await client.generate_many([GenerateV3("a cat")])

    assert len(batch.images) == 1
