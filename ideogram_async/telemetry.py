"""Traces and metrics by OpenTelemetry: `IdeogramClient(hooks=OpenTelemetry())`.

It needs the API alone: `pip install 'ideogram-async[otel]'`. Where the program sets no
SDK up, all of it does nothing. There is never a prompt, a key or a link in it.

Spans, all of kind CLIENT, below the caller's current span:

* `ideogram.generate_v3`, and so on: a request, from its start to its end, by the
  conventions for generative AI;
* below it `POST`: an attempt, by the conventions for HTTP clients. Its `url.full` is
  left out, as addresses may be links;
* `ideogram.download`: the download of an image.

Metrics: `gen_ai.client.operation.duration`, and under `ideogram.client.`:
`queue.duration`, `attempt.duration`, `download.duration` (histograms, in seconds);
`places.in_use`, `places.limit` (gauges); `refusals`, `retries`, `images`, `withheld`,
`unknown`, `cost`, `download.size` (counters).
"""

from __future__ import annotations

import time
from collections.abc import Container
from contextvars import Token
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from ._semantics import (
    attempt_error,
    error,
    labels,
    model,
    of_attempt,
    of_outcome,
    of_request,
    operation,
    snake,
)
from ._version import __version__
from .errors import ConfigurationError
from .hooks import (
    Attempt,
    Download,
    Hooks,
    LimitChange,
    Outcome,
    RequestStarted,
    Retry,
    Sending,
)
from .providers import PROVIDERS


try:
    from opentelemetry import context, metrics, trace
except ImportError:
    raise ConfigurationError(
        "telemetry needs opentelemetry-api: pip install 'ideogram-async[otel]'"
    ) from None

if TYPE_CHECKING:
    import yarl


__all__ = ["OpenTelemetry", "url_filter"]

SCOPE: Final = "ideogram_async"
GEN_AI_BUCKETS: Final = [0.01 * 2**power for power in range(14)]
"""The boundaries that the convention wants, to 81.92 s."""
BUCKETS: Final = [0.0, 0.1, 0.25, 0.5, *(float(2**power) for power in range(9))]
"""In seconds, to 256: the service gives up after 265."""


class OpenTelemetry(Hooks):
    """Makes a span of every request, attempt and download, and measures them.

    Args:
        tracer_provider: Where spans go; the global one if omitted.
        meter_provider: Where measurements go; the global one if omitted.

    Raises:
        ConfigurationError: `opentelemetry-api` is not installed (when this module is
            imported).
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(SCOPE, __version__, tracer_provider)
        self._meters = _Meters(
            metrics.get_meter(SCOPE, __version__, meter_provider=meter_provider)
        )
        self._started: dict[int, RequestStarted] = {}
        self._requests: dict[int, _Open] = {}
        self._attempts: dict[int, _Open] = {}

    def on_request(self, started: RequestStarted) -> None:
        """Begin a span, as the current one of the request's task."""
        span = self._tracer.start_span(
            f"ideogram.{snake(started.operation)}",
            kind=trace.SpanKind.CLIENT,
            attributes=of_request(started),
        )
        self._started[started.request_id] = started
        self._requests[started.request_id] = _Open(span)

    def on_send(self, sending: Sending) -> None:
        """Begin a span of the attempt below that of the request."""
        span = self._tracer.start_span(
            sending.method,
            kind=trace.SpanKind.CLIENT,
            attributes=of_attempt(sending),
        )
        self._attempts[sending.request_id] = _Open(span)
        self._meters.queue.record(sending.waited, labels(sending))
        self._meters.show(sending)

    def on_attempt(self, attempt: Attempt) -> None:
        """End the span of the attempt."""
        cause = attempt_error(attempt)
        about = labels(attempt) | error(cause)
        if attempt.status is not None:
            about["http.response.status_code"] = attempt.status
        self._meters.attempt.record(attempt.seconds, about)
        self._meters.show(attempt)
        if attempt.status == 429:  # noqa: PLR2004  # Too Many Requests
            self._meters.refusals.add(1, labels(attempt))
        opened = self._attempts.pop(attempt.request_id)
        if attempt.status is not None:
            opened.span.set_attribute("http.response.status_code", attempt.status)
        opened.end(cause)

    def on_retry(self, retry: Retry) -> None:
        """Count it, and note it in the request's span."""
        self._meters.retries.add(1, labels(retry) | error(retry.error))
        self._requests[retry.request_id].span.add_event(
            "ideogram.retry",
            {
                "error.type": retry.error,
                "ideogram.attempt": retry.number,
                "ideogram.retry.delay": retry.delay,
            },
        )

    def on_outcome(self, outcome: Outcome) -> None:
        """End the span of the request, and count what it brought and cost."""
        started = self._started.pop(outcome.request_id)
        opened = self._requests.pop(outcome.request_id)
        self._meters.count(outcome, started)
        opened.span.set_attributes(of_outcome(outcome))
        opened.end(outcome.error)

    def on_download(self, download: Download) -> None:
        """Make a span of the download, and measure it."""
        end = time.time_ns()
        span = self._tracer.start_span(
            "ideogram.download",
            kind=trace.SpanKind.CLIENT,
            attributes={
                "server.address": download.host,
                "http.response.body.size": download.size,
            },
            start_time=end - int(download.seconds * 1e9),
        )
        _close(span, download.error, end)
        about = error(download.error)
        self._meters.download.record(download.seconds, about)
        self._meters.download_size.add(download.size, about)

    def on_limit(self, change: LimitChange) -> None:
        """Show the new limit."""
        provider = {"gen_ai.provider.name": change.provider}
        self._meters.limit.set(change.after, provider)


def url_filter(url: yarl.URL, *, keep: Container[str] = ()) -> str:
    """Return an address as a trace may have it: links of results are bearer links.

    It is for OpenTelemetry's own instrumentation of aiohttp, which would record them:
    `AioHttpClientInstrumentor().instrument(url_filter=url_filter)`. A path is kept
    where a provider takes requests; of everything else, only the host is.

    Args:
        url: The address.
        keep: Further hosts whose paths are kept, such as those of other services.
    """
    host = url.host or ""
    apis = {urlsplit(each.default_base_url).hostname for each in PROVIDERS.values()}
    bare = url.origin() if url.is_absolute() and host else url.with_path("/")
    return str(bare.with_path(url.path) if host in apis or host in keep else bare)


class _Open:
    """A span that is the current one of its task, until it ends."""

    def __init__(self, span: trace.Span) -> None:
        self.span = span
        self._token: Token[Any] = context.attach(trace.set_span_in_context(span))

    def end(self, cause: str | None) -> None:
        context.detach(self._token)
        _close(self.span, cause)


class _Meters:
    """The instruments."""

    def __init__(self, meter: metrics.Meter) -> None:
        def seconds(name: str, description: str) -> metrics.Histogram:
            return meter.create_histogram(
                f"ideogram.client.{name}.duration",
                "s",
                description,
                explicit_bucket_boundaries_advisory=BUCKETS,
            )

        def counter(name: str, unit: str, description: str) -> metrics.Counter:
            return meter.create_counter(f"ideogram.client.{name}", unit, description)

        def gauge(name: str, description: str) -> Any:
            full = f"ideogram.client.places.{name}"
            return meter.create_gauge(full, "{place}", description)

        self.operation = meter.create_histogram(
            "gen_ai.client.operation.duration",
            "s",
            "GenAI operation duration.",
            explicit_bucket_boundaries_advisory=GEN_AI_BUCKETS,
        )
        self.queue = seconds("queue", "Wait for places in the limit.")
        self.attempt = seconds("attempt", "Service time of an attempt.")
        self.download = seconds("download", "Time to download an image.")
        self.download_size = counter("download.size", "By", "Bytes of images.")
        self.refusals = counter("refusals", "{attempt}", "Attempts that met a 429.")
        self.retries = counter("retries", "{attempt}", "Steps sent again.")
        self.images = counter("images", "{image}", "Images released.")
        self.withheld = counter("withheld", "{image}", "Images billed and withheld.")
        self.unknown = counter("unknown", "{request}", "Requests that may be billed.")
        self.cost = counter("cost", "{unit}", "Cost by published prices.")
        self.in_use = gauge("in_use", "Places in use.")
        self.limit = gauge("limit", "Places that may be in use, as learnt.")

    def show(self, sending: Sending) -> None:
        """Show the state of the limit."""
        provider = {"gen_ai.provider.name": sending.provider}
        self.in_use.set(sending.in_use, provider)
        self.limit.set(sending.limit, provider)

    def count(self, outcome: Outcome, started: RequestStarted) -> None:
        """Count what a request brought and cost."""
        about = labels(outcome)
        what = {"gen_ai.operation.name": operation(started), **model(started)}
        self.operation.record(outcome.seconds, about | what | error(outcome.error))
        self.images.add(outcome.images, about)
        self.withheld.add(outcome.withheld, about)
        self.unknown.add(outcome.is_unknown, about)
        if outcome.cost.amount:
            unit = {"ideogram.cost.unit": outcome.cost.unit or ""}
            self.cost.add(float(outcome.cost.amount), about | unit)


def _close(span: trace.Span, cause: str | None, end: int | None = None) -> None:
    if cause:
        span.set_attribute("error.type", cause)
        span.set_status(trace.StatusCode.ERROR)
    span.end(end)
