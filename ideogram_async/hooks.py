"""What a program is told of each request: plain values, and a class to derive from.

```python
class Print(Hooks):
    def on_attempt(self, attempt):
        print(attempt.operation, attempt.number, attempt.status, attempt.seconds)


client = IdeogramClient(hooks=Print())
```

Values hold counts, seconds and names, and never a key or a link. A prompt is in them
only where `Hooks.sees_prompts` asks for it. Errors are told by the name of their class,
since the text of an error may quote what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

import attrs

from ._value import Value
from .costs import UNKNOWN, Cost


__all__ = [
    "EVENTS",
    "Attempt",
    "Download",
    "Hooks",
    "LimitChange",
    "Outcome",
    "RequestStarted",
    "Retry",
    "Sending",
    "Wait",
]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RequestStarted(Value):
    """A request begins: nothing was sent, or waited for.

    Attributes:
        request_id: Number of the request, unique in this process; all that is told of
            the request has the same.
        operation: Name of its class, such as `"GenerateV3"`.
        method: HTTP method of its endpoint.
        path: Path of its endpoint, with names in braces where it has any.
        model: The model, such as `"V_3"` or `"ideogram-v3"`; None if nothing says it.
        images: How many images are asked for; 0 if it makes none.
        places: How many places it takes in the limit.
        seed: The seed, if one was given.
        prompt: The prompt, only for hooks with `sees_prompts`; else None.
    """

    request_id: int
    operation: str
    method: str
    path: str
    model: str | None = None
    images: int = 0
    places: int = 0
    seed: int | None = None
    prompt: str | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class _OfRequest(Value):
    """What is told of a request under way.

    Attributes:
        request_id: As in `RequestStarted`.
        operation: Name of the request's class.
        provider: Name of the provider that is asked.
    """

    request_id: int
    operation: str
    provider: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Wait(_OfRequest):
    """A request has waited for places in the limit, or has given up.

    Attributes:
        places: How many it wanted.
        seconds: How long it waited.
        error: Class of what ended the wait, such as `"RequestTimeoutError"`; None if
            it has its places.
    """

    places: int
    seconds: float
    error: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Sending(_OfRequest):
    """An attempt is about to leave.

    Attributes:
        number: Which attempt of this step it is, from 1. Most requests are one step.
        method: HTTP method.
        host: Who is asked.
        port: At which port.
        places: Places that it holds.
        waited: Seconds that it waited for them.
        in_use: Places in use, with its own.
        limit: Places that may be in use at once, as learnt so far.
    """

    number: int
    method: str
    host: str
    port: int
    places: int
    waited: float
    in_use: int
    limit: int


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Attempt(Sending):
    """An attempt has ended; `in_use` and `limit` are what they are after it.

    Attributes:
        seconds: From the first byte to the last one of the answer.
        status: HTTP status; None if no answer came.
        error: Class of the error, such as `"RateLimitError"`, or None.
    """

    seconds: float
    status: int | None = None
    error: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Retry(_OfRequest):
    """A step will be sent again.

    Attributes:
        number: Which attempt of the step failed, from 1.
        delay: Seconds until it goes on; then it waits for places as any other.
        error: Class of the error of that attempt.
    """

    number: int
    delay: float
    error: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Outcome(Value):
    """A request has ended: answered, failed, or cancelled.

    Attributes:
        request_id: As in `RequestStarted`.
        operation: Name of the request's class.
        provider: Name of the provider that answered, or was asked last.
        attempts: How often something was sent, refusals included.
        seconds: From the start to the end, all waits included.
        waited: Seconds of them in the queue for places.
        images: Images that were released.
        withheld: Images that were made and billed, and not released.
        cost: What it cost, by published prices; unknown unless it was answered.
        generation_id: The service's id of an asynchronous generation, or None.
        status: HTTP status of the refusal; None if it was none.
        error: Class of the error, such as `"SafetyError"` or `"CancelledError"`; None
            if it was answered.
        is_unknown: Whether it may have run and be billed although no usable answer
            came.
    """

    request_id: int
    operation: str
    provider: str
    attempts: int
    seconds: float
    waited: float
    images: int = 0
    withheld: int = 0
    cost: Cost = UNKNOWN
    generation_id: str | None = None
    status: int | None = None
    error: str | None = None
    is_unknown: bool = False


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Download(Value):
    """The download of an image has ended.

    Attributes:
        host: Where from.
        size: Bytes that came, of all its attempts.
        seconds: How long it took, all waits included.
        error: Class of the error, or None if the image is whole.
    """

    host: str
    size: int
    seconds: float
    error: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LimitChange(Value):
    """The limit has followed what the service serves.

    Attributes:
        provider: Whose limit.
        before: Places that could be in use at once, until now.
        after: Places that may be in use from now on.
    """

    provider: str
    before: int
    after: int


class Hooks:
    """Is told of every request of a client; derive from it and override what you need.

    Methods are called on the event loop and must return at once. One that raises is
    logged the first time, and harms no request. `on_request` and `on_outcome` come once
    for each request, `on_send` and `on_attempt` once for each attempt, in this order
    and in the task of the request; also where it is cancelled.

    Attributes:
        sees_prompts: Whether `RequestStarted.prompt` is filled in.
    """

    sees_prompts: ClassVar[bool] = False

    def on_request(self, started: RequestStarted) -> None:
        """Take note that a request begins."""

    def on_wait(self, wait: Wait) -> None:
        """Take note that a request has waited for places."""

    def on_send(self, sending: Sending) -> None:
        """Take note that an attempt is about to leave."""

    def on_attempt(self, attempt: Attempt) -> None:
        """Take note that an attempt has ended."""

    def on_retry(self, retry: Retry) -> None:
        """Take note that a step will be sent again."""

    def on_outcome(self, outcome: Outcome) -> None:
        """Take note that a request has ended."""

    def on_download(self, download: Download) -> None:
        """Take note that a download has ended."""

    def on_limit(self, change: LimitChange) -> None:
        """Take note that the limit has changed."""


EVENTS: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        "on_request": RequestStarted,
        "on_wait": Wait,
        "on_send": Sending,
        "on_attempt": Attempt,
        "on_retry": Retry,
        "on_outcome": Outcome,
        "on_download": Download,
        "on_limit": LimitChange,
    }
)
"""What each method of `Hooks` is told."""
