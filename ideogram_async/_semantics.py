"""Attributes of spans and measurements, by OpenTelemetry's semantic conventions.

Those for generative AI and for HTTP clients, where there are any; what is Ideogram's
own is under `ideogram.`.
"""

from __future__ import annotations

import re
from typing import Any

from .hooks import Attempt, Outcome, RequestStarted, Retry, Sending


Attributes = dict[str, Any]
"""What OpenTelemetry takes: names, with values that are plain."""


def labels(event: Sending | Retry | Outcome) -> Attributes:
    """Return what all that is measured of a request is told apart by."""
    return {
        "gen_ai.provider.name": event.provider,
        "ideogram.operation": event.operation,
    }


def model(started: RequestStarted) -> Attributes:
    """Return the model, where it is known."""
    return {"gen_ai.request.model": started.model} if started.model else {}


def error(error: str | None) -> Attributes:
    """Return why it failed, if it did."""
    return {"error.type": error} if error else {}


def of_request(started: RequestStarted) -> Attributes:
    """Return the attributes of a request's span at its start."""
    attributes: Attributes = {
        "gen_ai.operation.name": operation(started),
        "ideogram.operation": started.operation,
        "ideogram.request.id": started.request_id,
        "ideogram.places": started.places,
        "http.request.method": started.method,
        "url.template": started.path,
        **model(started),
    }
    if started.images:
        attributes["gen_ai.output.type"] = "image"
        attributes["gen_ai.request.choice.count"] = started.images
    if started.seed is not None:
        attributes["gen_ai.request.seed"] = started.seed
    return attributes


def of_attempt(sending: Sending) -> Attributes:
    """Return the attributes of an attempt's span at its start."""
    attributes: Attributes = {
        "http.request.method": sending.method,
        "server.address": sending.host,
        "server.port": sending.port,
        "ideogram.attempt": sending.number,
        "ideogram.places": sending.places,
        "ideogram.queue.seconds": sending.waited,
    }
    if sending.number > 1:
        attributes["http.request.resend_count"] = sending.number - 1
    return attributes


def of_outcome(outcome: Outcome) -> Attributes:
    """Return what the end of a request adds to its span."""
    cost = outcome.cost
    attributes: Attributes = {
        "gen_ai.provider.name": outcome.provider,
        "ideogram.attempts": outcome.attempts,
        "ideogram.queue.seconds": outcome.waited,
        "ideogram.images": outcome.images,
        "ideogram.withheld": outcome.withheld,
        "ideogram.is_unknown": outcome.is_unknown,
    }
    if cost.amount is not None:
        attributes["ideogram.cost"] = float(cost.amount)
        attributes["ideogram.cost.unit"] = cost.unit or ""
    if outcome.generation_id is not None:
        attributes["gen_ai.response.id"] = outcome.generation_id
    if outcome.status is not None:
        attributes["http.response.status_code"] = outcome.status
    return attributes


def operation(started: RequestStarted) -> str:
    """Return the convention's word for what a model does; else our own."""
    return "generate_content" if started.places else snake(started.operation)


def attempt_error(attempt: Attempt) -> str | None:
    """Return why an attempt failed: its status, where it has one that says so."""
    if attempt.error and attempt.status is not None and attempt.status >= 300:  # noqa: PLR2004
        return str(attempt.status)
    return attempt.error


def snake(name: str) -> str:
    """Return the name of a class as that of a function."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
