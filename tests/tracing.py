"""OpenTelemetry's own SDK, collecting in memory."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ideogram_async.telemetry import OpenTelemetry


class Collector:
    """Keeps spans and measurements."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracer_provider = TracerProvider(shutdown_on_exit=False)
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.meter_provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.tracer = self.tracer_provider.get_tracer("test")

    @property
    def hooks(self) -> OpenTelemetry:
        """Hooks that report here."""
        return OpenTelemetry(
            tracer_provider=self.tracer_provider, meter_provider=self.meter_provider
        )

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """Spans that have ended, in that order."""
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> list[ReadableSpan]:
        """Return the spans of a name."""
        return [span for span in self.spans if span.name == name]

    def below(self, parent: ReadableSpan) -> list[ReadableSpan]:
        """Return the children of a span, in the order of their start."""
        children = [
            span
            for span in self.spans
            if span.parent and span.parent.span_id == parent.context.span_id
        ]
        return sorted(children, key=lambda span: span.start_time or 0)

    def points(self, name: str) -> list[Any]:
        """Return the data points of a metric."""
        collected = self._reader.get_metrics_data()
        return [
            point
            for resource in (collected.resource_metrics if collected else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]

    def sum(self, name: str) -> float:
        """Return the sum of a counter over all that tells its points apart."""
        return sum(point.value for point in self.points(name))

    def text(self) -> str:
        """Return all that was collected, as text."""
        collected = self._reader.get_metrics_data()
        spans = "".join(span.to_json() for span in self.spans)
        return spans + (collected.to_json() if collected else "")


def seconds(span: ReadableSpan) -> float:
    """Return how long a span took."""
    return ((span.end_time or 0) - (span.start_time or 0)) / 1e9
