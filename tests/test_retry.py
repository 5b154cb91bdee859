"""What may be sent again, and when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ideogram_async import (
    AuthenticationError,
    BadRequestError,
    ConnectionFailedError,
    DecodeError,
    IdeogramError,
    InsufficientFundsError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitError,
    RequestTimeoutError,
    RetryPolicy,
    SafetyError,
    ServerError,
    TransportError,
    Upload,
)
from ideogram_async._http import HttpRequest, Part
from ideogram_async._learning import Verdict
from ideogram_async._retry import may_have_run, repeat, verdict_of, was_refused
from ideogram_async.uploads import StreamSource


PAID = HttpRequest("POST", "https://x/generate", places=1)
FREE = HttpRequest("POST", "https://x/datasets")
HARMLESS = HttpRequest("GET", "https://x/poll")
USED_UP = HttpRequest(
    "POST",
    "https://x/remix",
    form=(
        Part(
            "image",
            Upload(
                source=StreamSource(None),
                filename="pipe.png",
                media_type="image/png",
                size=None,
            ),
        ),
    ),
    places=1,
)
NOT_SENT = ConnectionFailedError("refused")
LOST = TransportError("reset")
LATE = RequestTimeoutError("late")
EXPIRED = RequestTimeoutError("no time", delivery="not_sent")
BUSY = RateLimitError("busy")
DOWN = ServerError("down", status=503)
REFUSED = ServerError("down", status=503, retry_after=2.0)
BROKEN = ServerError("broken", status=500, retry_after=2.0)
UNREADABLE = DecodeError("bad")
CUT_OFF = DecodeError("cut", complete=False)


@pytest.mark.parametrize(
    ("error", "paid", "resent", "harmless"),
    [
        pytest.param(NOT_SENT, True, True, True, id="not-sent"),
        pytest.param(BUSY, True, True, True, id="429"),
        pytest.param(REFUSED, True, True, True, id="503-retry-after"),
        pytest.param(DOWN, False, True, True, id="503"),
        pytest.param(BROKEN, False, True, True, id="500"),
        pytest.param(LOST, False, True, True, id="reset"),
        pytest.param(LATE, False, True, True, id="timeout"),
        pytest.param(EXPIRED, False, False, False, id="deadline"),
        pytest.param(UNREADABLE, False, False, False, id="unreadable"),
        pytest.param(CUT_OFF, False, False, True, id="cut-off"),
        pytest.param(BadRequestError(), False, False, False, id="400"),
        pytest.param(AuthenticationError(), False, False, False, id="401"),
        pytest.param(InsufficientFundsError(), False, False, False, id="402"),
        pytest.param(NotFoundError(), False, False, False, id="404"),
        pytest.param(SafetyError(), False, False, False, id="422"),
        pytest.param(NotSentError(), False, False, False, id="batch-ended"),
        pytest.param(ValueError("bad"), False, False, False, id="other"),
    ],
)
def test_what_may_be_sent_again(
    error: Exception, *, paid: bool, resent: bool, harmless: bool
) -> None:
    """A paid request only if it did not run, unless so asked; a harmless one freely."""
    policy = RetryPolicy()

    assert policy.allows(error, PAID) is paid
    assert RetryPolicy(resend_unknown=True).allows(error, PAID) is resent
    assert policy.allows(error, HARMLESS) is harmless


@pytest.mark.parametrize("error", [NOT_SENT, BUSY, LOST])
def test_used_up_stream_is_never_sent_again(error: IdeogramError) -> None:
    """Nothing is sent again of which a part is gone."""
    assert not RetryPolicy(resend_unknown=True).allows(error, USED_UP)


@pytest.mark.parametrize(
    ("error", "refused", "ran"),
    [
        (BUSY, True, False),
        (REFUSED, True, False),
        (DOWN, False, True),
        (BROKEN, False, True),
        (LOST, False, True),
        (NOT_SENT, False, False),
        (UNREADABLE, False, False),
        (SafetyError(), False, False),
    ],
)
def test_what_is_known_of_an_attempt(
    error: Exception, *, refused: bool, ran: bool
) -> None:
    """An error is a refusal, or a doubt, or neither; never both."""
    assert was_refused(error) is refused
    assert may_have_run(error) is ran


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (None, Verdict.SERVED),
        (UNREADABLE, Verdict.SERVED),
        (CUT_OFF, Verdict.SERVED),
        (BUSY, Verdict.REFUSED),
        (REFUSED, Verdict.FAILED),
        (BROKEN, Verdict.FAILED),
        (NOT_SENT, Verdict.FAILED),
        (SafetyError(), Verdict.REJECTED),
        (LATE, Verdict.ABANDONED),
        (KeyboardInterrupt(), Verdict.ABANDONED),
    ],
)
def test_what_the_gate_is_told(error: BaseException | None, verdict: Verdict) -> None:
    """The gate learns from answers, refusals and failures, and from nothing else."""
    assert verdict_of(error) is verdict


@pytest.mark.parametrize(
    "fields",
    [
        {"attempts": 0},
        {"wait_initial": -0.1},
        {"wait_max": -1},
        {"wait_exp_base": 0.9},
    ],
)
def test_bad_policies_are_refused(fields: dict[str, Any]) -> None:
    """A policy that can't be meant is an error that names the number."""
    (name,) = fields

    with pytest.raises(ValueError, match=f"{name} must be . or more, got"):
        RetryPolicy(**fields)


@given(
    attempt=st.integers(1, 10_000),
    initial=st.floats(0, 10),
    longest=st.floats(0, 100),
    base=st.floats(1, 10),
)
def test_backoff_is_within_its_bounds(
    attempt: int, initial: float, longest: float, base: float
) -> None:
    """The wait is never negative, never above the formula, and never overflows."""
    policy = RetryPolicy(wait_initial=initial, wait_max=longest, wait_exp_base=base)

    most = min(longest, initial * base ** min(attempt - 1, 64))
    assert 0 <= policy.backoff(attempt) <= most


def test_backoff_uses_its_whole_range() -> None:
    """Full jitter: waits are spread from nothing to the longest."""
    waits = [RetryPolicy().backoff(3) for _ in range(400)]

    assert min(waits) < 0.4
    assert max(waits) > 3.6
    assert max(RetryPolicy().backoff(50) for _ in range(400)) > 18


class Script:
    """Attempts that end as scripted; keeps count of them, and of what was slept."""

    def __init__(self, *ends: IdeogramError | str) -> None:
        self.ends = list(ends)
        self.slept = list[float]()

    async def attempt(self) -> str:
        """End as the script says."""
        end = self.ends.pop(0)
        if isinstance(end, IdeogramError):
            raise end
        return end

    async def sleep(self, seconds: float) -> None:
        """Take no time."""
        self.slept.append(seconds)

    async def run(
        self, first: IdeogramError, step: HttpRequest = PAID, **policy: Any
    ) -> str:
        """Go on after *first*."""
        return await repeat(
            self.attempt, RetryPolicy(**policy), step, first, self.sleep
        )


async def test_attempts_go_on_until_one_succeeds() -> None:
    """What may be sent again is, after a growing wait each time."""
    script = Script(NOT_SENT, NOT_SENT, "answer", "never")

    assert await script.run(NOT_SENT) == "answer"
    assert script.ends == ["never"]
    assert len(script.slept) == 3
    assert all(0 <= s <= most for s, most in zip(script.slept, (1, 2, 4), strict=True))


async def test_attempts_end_after_their_number() -> None:
    """The first attempt counts; the last error is raised as it is."""
    last = ConnectionFailedError("the last")
    script = Script(NOT_SENT, last, "never")

    with pytest.raises(ConnectionFailedError, match="the last") as caught:
        await script.run(NOT_SENT, attempts=3)

    assert caught.value is last
    assert script.ends == ["never"]


async def test_one_attempt_means_no_more() -> None:
    """With one attempt the first error is raised, and nothing is sent."""
    script = Script("never")

    with pytest.raises(ConnectionFailedError):
        await script.run(NOT_SENT, attempts=1)

    assert (script.ends, script.slept) == (["never"], [])


async def test_what_may_not_be_sent_again_ends_it() -> None:
    """A refusal for good in a later attempt is raised at once."""
    with pytest.raises(SafetyError):
        await Script(SafetyError("no"), "never").run(NOT_SENT)


async def test_throttling_does_not_count() -> None:
    """Any number of 429s is waited out by the gate, without a sleep of their own."""
    script = Script(*[BUSY] * 50, "answer")

    assert await script.run(BUSY, attempts=1) == "answer"
    assert script.slept == [0.0] * 51


@pytest.mark.parametrize("step", [HARMLESS, FREE])
async def test_throttling_without_a_place_counts(step: HttpRequest) -> None:
    """Where no gate waits, a 429 is an attempt like any other, with its wait."""
    script = Script(BUSY, BUSY, "never")

    with pytest.raises(RateLimitError):
        await script.run(RateLimitError("busy", retry_after=9.0), step, attempts=3)

    assert len(script.slept) == 2
    assert script.slept[0] == 9.0
    assert 0 <= script.slept[1] <= 2


async def test_retry_after_is_the_least_wait() -> None:
    """The service's own word is obeyed where it asks for more than the backoff."""
    script = Script("answer")

    await script.run(REFUSED)

    assert script.slept == [2.0]


async def test_unknown_outcome_is_raised_as_it_is() -> None:
    """An error that says the request may have run ends the attempts."""
    script = Script(OutcomeUnknownError("who knows"), "never")

    with pytest.raises(OutcomeUnknownError):
        await script.run(NOT_SENT)
