"""The events of a running batch, as server-sent events without a framework.

An event is numbered by how many outcomes its reader has then. A browser whose
connection breaks sends that number back (`Last-Event-ID`) and gets what it has missed;
one that comes without a number gets everything.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import anyio
import attrs

from .._codec import to_jsonable
from .._running import RunningBatch
from ..batch import Failure, Success
from ..errors import IdeogramError, one_line


HEARTBEAT: Final = 15.0
"""Seconds of silence after which a comment is sent, so that proxies keep the line."""
RETRY: Final = 1000
"""Milliseconds after which a browser comes back when the connection breaks."""
LONGEST_ID: Final = 9
"""Digits that the number of a last event may have."""

MEDIA_TYPE: Final = "text/event-stream"
STREAM_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
)
"""Header fields of a response with events, beside its media type: keep it nowhere."""


@attrs.frozen(kw_only=True)
class Event:
    """One server-sent event; no text in it can break it.

    Attributes:
        event: `"batch"`, `"outcome"` or `"done"`; None for a comment.
        data: JSON on one line, in ASCII; None for a comment.
        id: What the browser sends back as `Last-Event-ID`, or None.
        retry: Milliseconds after which a browser comes back, or None.
        comment: What keeps the line alive, or None.
    """

    event: str | None = None
    data: str | None = None
    id: str | None = None
    retry: int | None = None
    comment: str | None = None

    def __bytes__(self) -> bytes:
        """Return the event as it is sent."""
        fields = (
            ("", self.comment),
            ("event", self.event),
            ("data", self.data),
            ("id", self.id),
            ("retry", self.retry),
        )
        lines = [f"{name}: {value}" for name, value in fields if value is not None]
        return ("\n".join(lines) + "\n\n").encode()


async def events(
    running: RunningBatch[Any],
    last_event_id: str | None = None,
    *,
    heartbeat: float = HEARTBEAT,
) -> AsyncGenerator[Event, None]:
    """Yield the events of *running*: `batch`, an `outcome` for each item, `done`.

    `batch` has `id` and `total` (null while it is not known). `outcome` has `index`,
    `prompt`, and the `response` of the service or an `error` with `type` and `message`.
    `done` has `total`, `succeeded` and `failed`; the browser should close then.

    Args:
        running: The batch; it neither waits for its readers nor ends with them.
        last_event_id: What the browser says that it has had, from the header field
            `Last-Event-ID`; anything else than a number counts as nothing.
        heartbeat: Seconds of silence after which a comment is sent.

    Raises:
        IdeogramError: The batch was torn down with its event loop.
    """
    count = _number(last_event_id or "")
    yield _event("batch", {"id": running.id, "total": running.total}, retry=RETRY)
    while True:
        fresh: Sequence[Success[Any] | Failure] | None = None
        with anyio.move_on_after(heartbeat):
            fresh = await running.after(count)
        if fresh is None:
            yield Event(comment="still here")
            continue
        for outcome in fresh:
            count += 1
            yield _event("outcome", told(outcome), id=str(count))
        if not fresh:
            break
    sums = {"succeeded": running.succeeded, "failed": running.failed}
    yield _event("done", {"total": running.total, **sums}, id=str(count))


def told(outcome: Success[Any] | Failure) -> dict[str, Any]:
    """Return what a browser may know of *outcome*, as plain JSON values.

    Of errors that are not ours, such as those of the source, the message stays here:
    it may hold anything.
    """
    prompt = getattr(outcome.request, "prompt", None)
    common = {
        "index": outcome.index,
        "prompt": prompt if isinstance(prompt, str) else None,
    }
    if isinstance(outcome, Success):
        return {**common, "response": to_jsonable(outcome.response)}
    error = outcome.error
    ours = isinstance(error, IdeogramError | ValueError) and not outcome.is_of_source
    message = one_line(str(error)) if ours else "the source of prompts failed"
    return {**common, "error": {"type": type(error).__name__, "message": message}}


def _event(event: str, value: Mapping[str, Any], **fields: Any) -> Event:
    data = json.dumps(value, separators=(",", ":"))
    return Event(event=event, data=data, **fields)


def _number(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID
    return int(text) if is_number else 0
