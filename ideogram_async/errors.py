"""Everything that can go wrong, by whose fault and what may be done about it.

```
IdeogramError                    root of all
├─ ConfigurationError            no key, unknown provider: before any I/O
├─ UnsupportedRequestError       the provider has no route for it: before any I/O
├─ TransportError                no reply; .delivery says what is known
│  ├─ ConnectionFailedError      never sent
│  ├─ RequestTimeoutError        time was up (also a TimeoutError)
│  └─ OutcomeUnknownError        a paid request may have run; not sent again
├─ StatusError                   the service said no
│  ├─ BadRequestError            400, 413
│  ├─ AuthenticationError        401, 403
│  ├─ InsufficientFundsError     402
│  ├─ NotFoundError              404
│  ├─ SafetyError                422
│  ├─ RateLimitError             429
│  └─ ServerError                5xx
├─ DecodeError                   a success that can't be read
├─ NotSentError                  the batch ended before this item was sent
├─ GenerationFailedError         an asynchronous generation ended as failed
├─ BudgetExceededError           the next request would go over the budget
├─ DownloadError                 no link, link expired, not a whole image
├─ JournalError                  a job's journal can't be read or written
└─ WebhookVerificationError      a webhook that is not the service's own
```

A bad field value is a plain `ValueError`, raised when the request is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal


if TYPE_CHECKING:
    from .requests import Request
    from .webhooks import WebhookFault


Delivery = Literal["not_sent", "unknown"]
"""What is known of a request without a reply: it never left, or it may have run."""


class IdeogramError(Exception):
    """Root of all errors of this package; `str()` is one line, without secrets.

    Attributes:
        provider: Name of the provider that was asked, or None.
        request: The request that failed, or None.
    """

    def __init__(
        self,
        message: str = "",
        *,
        provider: str | None = None,
        request: Request[Any] | None = None,
    ) -> None:
        super().__init__(one_line(message))
        self.provider = provider
        self.request = request


class ConfigurationError(IdeogramError):
    """The client can't be set up: no key, an unknown provider, a bad address."""


class UnsupportedRequestError(IdeogramError):
    """This provider has no route for this request or field; nothing was sent."""


class TransportError(IdeogramError):
    """No reply came.

    Attributes:
        delivery: `"not_sent"` if the service can't have run the request,
            `"unknown"` if it may have.
    """

    def __init__(
        self,
        message: str = "",
        *,
        delivery: Delivery = "unknown",
        provider: str | None = None,
        request: Request[Any] | None = None,
    ) -> None:
        super().__init__(message, provider=provider, request=request)
        self.delivery: Delivery = delivery


class ConnectionFailedError(TransportError):
    """No connection: name not found, refused, TLS or proxy failed; never sent."""

    def __init__(
        self,
        message: str = "",
        *,
        delivery: Delivery = "not_sent",
        provider: str | None = None,
        request: Request[Any] | None = None,
    ) -> None:
        super().__init__(message, delivery=delivery, provider=provider, request=request)


class RequestTimeoutError(TransportError, TimeoutError):
    """The time given for an attempt, or for the whole call, was up.

    Attributes:
        generation_id: The generation that was waited for, and goes on; or None.
    """

    def __init__(
        self,
        message: str = "",
        *,
        generation_id: str | None = None,
        delivery: Delivery = "unknown",
        provider: str | None = None,
        request: Request[Any] | None = None,
    ) -> None:
        super().__init__(message, delivery=delivery, provider=provider, request=request)
        self.generation_id = generation_id


class OutcomeUnknownError(TransportError):
    """A paid request left and no usable reply came: it may have run and be billed.

    It isn't sent again unless `RetryPolicy(resend_unknown=True)` asks for that.
    The cause (`__cause__`) says what happened.
    """


class StatusError(IdeogramError):
    """The service answered with an error status.

    Attributes:
        status: HTTP status code, 0 if unknown.
        reject_reason: The service's own word, such as `"inflight_limit"`, or None.
        retry_after: Seconds to wait, from the `Retry-After` header, or None.
        max_inflight_requests: Images the service allows in progress, where it says so.
        body: The raw answer, for a closer look.
    """

    default_status: ClassVar[int] = 0

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        reject_reason: str | None = None,
        retry_after: float | None = None,
        max_inflight_requests: int | None = None,
        body: bytes = b"",
        provider: str | None = None,
        request: Request[Any] | None = None,
    ) -> None:
        super().__init__(message, provider=provider, request=request)
        self.status: int = self.default_status if status is None else status
        self.reject_reason = reject_reason
        self.retry_after = retry_after
        self.max_inflight_requests = max_inflight_requests
        self.body = body


class BadRequestError(StatusError):
    """400 or 413: the service found the request invalid, or an upload too large."""

    default_status = 400


class AuthenticationError(StatusError):
    """401 or 403: the key is missing, wrong, or not allowed to do this."""

    default_status = 401


class InsufficientFundsError(StatusError):
    """402: balance, plan or quota do not cover the request."""

    default_status = 402


class NotFoundError(StatusError):
    """404: no such dataset, model, generation or path."""

    default_status = 404


class SafetyError(StatusError):
    """422: the safety check refused the prompt or the image."""

    default_status = 422


class RateLimitError(StatusError):
    """429: too many images in progress; the request did not run."""

    default_status = 429


class ServerError(StatusError):
    """5xx: the service failed; whether a request ran is unknown.

    So is it after a 101, which nobody asked for. Only a 503 with `Retry-After` is a
    refusal, and may be sent again.
    """

    default_status = 500


class DecodeError(IdeogramError):
    """A success whose body is not what was promised; likely billed, never resent.

    Attributes:
        field: Path of the field that could not be read, such as `data[0].url`.
        body: All that came of the answer.
        complete: False if the connection ended before the answer did.
    """

    def __init__(
        self,
        message: str = "",
        *,
        field: str = "",
        body: bytes = b"",
        complete: bool = True,
        provider: str | None = None,
        request: Request[Any] | None = None,
    ) -> None:
        super().__init__(message, provider=provider, request=request)
        self.field = field
        self.body = body
        self.complete = complete


class NotSentError(IdeogramError):
    """The batch or job ended before this item was sent; its cause says why."""


class GenerationFailedError(IdeogramError):
    """An asynchronous generation ended as failed; failed generations are free.

    Attributes:
        generation_id: Which one; or None.
    """

    def __init__(
        self,
        message: str = "",
        *,
        generation_id: str | None = None,
        provider: str | None = None,
        request: Request[Any] | None = None,
    ) -> None:
        super().__init__(message, provider=provider, request=request)
        self.generation_id = generation_id


class BudgetExceededError(IdeogramError):
    """The next request would go over the caller's budget; nothing was sent."""


class DownloadError(IdeogramError):
    """An image could not be saved: no link, expired, short, not an image, too large."""


class JournalError(IdeogramError):
    """A job's journal can't be read or written, or another process holds it."""


class WebhookVerificationError(IdeogramError):
    """A webhook failed a check, and must not be trusted.

    It holds nothing of the body, and not the signature.

    Attributes:
        reason: Which check; None if unknown.
    """

    def __init__(
        self,
        message: str = "",
        *,
        reason: WebhookFault | None = None,
        provider: str | None = None,
        request: Request[Any] | None = None,
    ) -> None:
        super().__init__(message, provider=provider, request=request)
        self.reason: WebhookFault | None = reason


def one_line(text: str) -> str:
    """Return *text* on one line, without control characters."""
    words = " ".join(text.split())
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in words
    )
