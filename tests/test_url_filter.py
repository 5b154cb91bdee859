"""Addresses in traces of OpenTelemetry's own instrumentation of aiohttp."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import aiohttp
import pytest
import yarl
from opentelemetry.instrumentation.aiohttp_client import (
    AioHttpClientInstrumentor,
    create_trace_config,
)

from ideogram_async import IdeogramClient
from ideogram_async.sandbox import Sandbox
from ideogram_async.telemetry import url_filter

from .servers import LINK
from .tracing import Collector


Instrument = Callable[[str], Collector]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (LINK, "https://ideogram.ai/"),
        ("https://ideogram.ai", "https://ideogram.ai/"),
        (
            "https://api.ideogram.ai/v1/ideogram-v3/generate?key=1#a",
            "https://api.ideogram.ai/v1/ideogram-v3/generate",
        ),
        ("https://u:p@api.ideogram.ai/describe", "https://api.ideogram.ai/describe"),
        ("http://u:p@cdn.example:8080/a.png?sig=1", "http://cdn.example:8080/"),
        ("http://[::1]:8080/a", "http://[::1]:8080/"),
        ("/relative?exp=1", "/"),
        ("", "/"),
    ],
)
def test_what_is_left_of_an_address(url: str, shown: str) -> None:
    """Links lose path and query, calls of a provider the query, all the password."""
    assert url_filter(yarl.URL(url)).rstrip("/") == shown.rstrip("/")


def test_further_hosts() -> None:
    """A program may keep the paths of other services, still without their queries."""
    shown = partial(url_filter, keep={"mine.example"})

    assert shown(yarl.URL("https://mine.example/a?b=c")) == "https://mine.example/a"
    assert shown(yarl.URL("https://other.example/a")) == "https://other.example"


@pytest.fixture
def instrument(monkeypatch: pytest.MonkeyPatch) -> Iterator[Instrument]:
    """Return what instruments aiohttp, by old or new conventions."""
    semconv = importlib.import_module("opentelemetry.instrumentation._semconv")
    stability = semconv._OpenTelemetrySemanticConventionStability
    instrumentor = AioHttpClientInstrumentor()

    def begin(conventions: str) -> Collector:
        monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", conventions)
        monkeypatch.setattr(stability, "_initialized", False)
        collector = Collector()
        instrumentor.instrument(
            url_filter=url_filter,
            tracer_provider=collector.tracer_provider,
            meter_provider=collector.meter_provider,
        )
        return collector

    yield begin
    instrumentor.uninstrument()
    stability._initialized = False


@pytest.mark.parametrize("conventions", ["", "http", "http/dup"])
async def test_the_real_instrumentation(
    instrument: Instrument, conventions: str, tmp_path: Path
) -> None:
    """With the filter, no link of a result is in any span or measurement."""
    collector = instrument(conventions)
    async with (
        Sandbox(latency=0.005) as sandbox,
        IdeogramClient("secret", base_url=sandbox.url, hooks=collector.hooks) as client,
    ):
        batch = await client.generate_many(["zyzzyva", "zyzzyva"])
        for image in batch.images:
            await client.download(image, tmp_path / f"{image.seed}.png")

    text = collector.text()
    (first, *_) = collector.named("ideogram.generate_v3")
    (attempt,) = collector.below(first)
    assert [span.name for span in collector.below(attempt)] == ["POST"]
    assert len(collector.named("GET")) == 2
    assert "secret" not in text
    assert "zyzzyva" not in text
    assert "exp=" not in text
    for image in batch.images:
        assert yarl.URL(image.url or "").path not in text


async def test_only_the_sessions_of_a_client(tmp_path: Path) -> None:
    """A trace config with the filter, in a session of one's own, does the same."""
    collector = Collector()
    config = create_trace_config(
        url_filter=url_filter, tracer_provider=collector.tracer_provider
    )
    async with (
        Sandbox(latency=0.005) as sandbox,
        aiohttp.ClientSession(trace_configs=[config]) as session,
        IdeogramClient("secret", base_url=sandbox.url, session=session) as client,
    ):
        response = await client.generate("a cat")
        await client.download(response.data[0], tmp_path / "a.png")

    (fetched,) = collector.named("GET")
    assert fetched.attributes["http.url"].rstrip("/") == sandbox.url
