"""What may be sent again, and when: decided purely; tenacity runs the loop.

There is no idempotency key, so a paid request that is repeated is paid twice. It is
sent again only if it was never sent, or was refused before it ran. A 429 isn't the
request's fault: it doesn't count as one of its attempts, and the gate does the waiting.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import attrs

from ._http import HttpRequest
from ._learning import Verdict
from ._value import Value
from .errors import (
    AuthenticationError,
    ConnectionFailedError,
    DecodeError,
    IdeogramError,
    InsufficientFundsError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    TransportError,
)


if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

LOCKS_OUT: Final = (AuthenticationError, InsufficientFundsError)
"""No request of this key can fare better after one of these."""


def _at_least_one(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if value < 1:
        raise ValueError(f"{attribute.name} must be 1 or more, got {value}")


def _not_negative(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if value < 0:
        raise ValueError(f"{attribute.name} must be 0 or more, got {value}")


@attrs.frozen(kw_only=True, eq=False, repr=False)
class RetryPolicy(Value):
    """How often, and how soon, a request that may be sent again is sent again.

    Before attempt n + 1 it waits a random time between 0 and
    `min(wait_max, wait_initial * wait_exp_base ** (n - 1))` seconds.

    Attributes:
        attempts: Most attempts in all, the first included, 1 or more; refusals by 429
            don't count.
        wait_initial: Longest wait before the second attempt, in seconds.
        wait_max: Longest wait of all, in seconds.
        wait_exp_base: Factor from one wait to the next.
        resend_unknown: Whether a paid request is sent again although it may have run;
            it may then be paid more than once.

    Raises:
        ValueError: A number is out of its range.
    """

    attempts: int = attrs.field(default=5, validator=_at_least_one)
    wait_initial: float = attrs.field(default=1.0, validator=_not_negative)
    wait_max: float = attrs.field(default=20.0, validator=_not_negative)
    wait_exp_base: float = attrs.field(default=2.0, validator=_at_least_one)
    resend_unknown: bool = False

    def allows(self, error: BaseException, step: HttpRequest) -> bool:
        """Whether *step* may be sent again after *error*, however often it was sent."""
        if not step.is_repeatable:
            return False
        if was_refused(error) or isinstance(error, ConnectionFailedError):
            return True
        if step.is_harmless:
            return may_have_run(error) or _is_cut_off(error)
        return self.resend_unknown and may_have_run(error)

    def backoff(self, attempt: int) -> float:
        """Return the seconds to wait after attempt number *attempt*, from 1."""
        longest = self.wait_initial * self.wait_exp_base ** min(attempt - 1, 64)
        return random.uniform(0, min(self.wait_max, longest))  # noqa: S311  # no secret


def was_refused(error: BaseException) -> bool:
    """Whether the service refused without running: it may be sent again."""
    if isinstance(error, RateLimitError):
        return True
    return (
        isinstance(error, ServerError)
        and error.status == 503  # noqa: PLR2004  # Service Unavailable
        and error.retry_after is not None
    )


def may_go_elsewhere(error: BaseException) -> bool:
    """Whether nothing ran for a reason that another provider may not have."""
    if isinstance(error, ConnectionFailedError | RequestTimeoutError):
        return error.delivery == "not_sent"
    return was_refused(error) or isinstance(error, LOCKS_OUT)


def may_have_run(error: BaseException) -> bool:
    """Whether the service may have run the request, and billed it."""
    if isinstance(error, TransportError):
        return error.delivery == "unknown"
    return isinstance(error, ServerError) and not was_refused(error)


def did_not_run(error: BaseException) -> bool:
    """Whether it is certain that nothing ran, and nothing is billed."""
    return not (may_have_run(error) or isinstance(error, DecodeError))


def verdict_of(error: BaseException | None) -> Verdict:
    """Return what *error*, or success, tells the gate."""
    if error is None or isinstance(error, DecodeError):
        return Verdict.SERVED
    if isinstance(error, RateLimitError):
        return Verdict.REFUSED
    if isinstance(error, ServerError | ConnectionFailedError):
        return Verdict.FAILED
    return Verdict.REJECTED if isinstance(error, StatusError) else Verdict.ABANDONED


@attrs.define(eq=False, repr=False)
class _Attempts:
    """The attempts of one step, as tenacity asks about them."""

    policy: RetryPolicy
    step: HttpRequest
    hands_over: Callable[[BaseException], bool]
    counted: int = 0

    def wants_more(self, state: RetryCallState) -> bool:
        error = _error_of(state)
        if error is None or not self.policy.allows(error, self.step):
            return False
        if self._is_throttled(error):
            return True
        self.counted += 1
        if self.hands_over(error):
            return False
        return self.counted < self.policy.attempts

    def wait(self, state: RetryCallState) -> float:
        error = _error_of(state)
        if self._is_throttled(error):
            return 0.0
        asked = (isinstance(error, StatusError) and error.retry_after) or 0.0
        return max(asked, self.policy.backoff(state.attempt_number))

    def _is_throttled(self, error: BaseException | None) -> bool:
        """Whether the gate does the waiting: a place will come free some time."""
        places = self.step.places
        if not isinstance(error, RateLimitError) or not places:
            return False
        return error.max_inflight_requests is None or (
            places <= error.max_inflight_requests
        )


async def repeat(  # noqa: PLR0913, PLR0917  # all that a loop must be told
    attempt: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    step: HttpRequest,
    first_error: IdeogramError,
    sleep: Callable[[float], Awaitable[None]],
    hands_over: Callable[[BaseException], bool] = lambda _: False,
    retrying: Callable[[BaseException, float], None] = lambda _, __: None,
) -> T:
    """Go on after the first attempt has failed with *first_error*.

    The first attempt runs outside, because tenacity costs a third of a request's time.
    *retrying* is told why it goes on, and after how many seconds.

    Raises:
        IdeogramError: The last attempt's error.
    """
    from tenacity import AsyncRetrying  # noqa: PLC0415  # most programs never retry

    attempts = _Attempts(policy, step, hands_over)
    pending = [first_error]

    async def next_attempt() -> T:
        if pending:
            raise pending.pop()
        return await attempt()

    def before_sleep(state: RetryCallState) -> None:
        retrying(cast("BaseException", _error_of(state)), state.upcoming_sleep)

    again = AsyncRetrying(
        retry=attempts.wants_more,
        wait=attempts.wait,
        sleep=sleep,
        before_sleep=before_sleep,
        reraise=True,
    )
    return cast("T", await again(next_attempt))


def _is_cut_off(error: BaseException) -> bool:
    return isinstance(error, DecodeError) and not error.complete


def _error_of(state: RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()
