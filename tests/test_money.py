"""Nothing is paid twice and nothing paid is lost: the client against the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from ideogram_async import (
    DecodeError,
    Failure,
    IdeogramClient,
    OutcomeUnknownError,
    RetryPolicy,
    Success,
)
from ideogram_async.sandbox import Fault, Sandbox


FAULTS: dict[Fault, float] = {
    "error_before": 0.04,
    "reset_before": 0.04,
    "error": 0.04,
    "reset": 0.04,
    "truncate": 0.04,
    "garble": 0.04,
    "hang": 0.01,
}
PROMPTS = [f"prompt {number}" for number in range(300)]


def quick(sandbox: Sandbox, **options: Any) -> IdeogramClient:
    """Return a client that does not wait long."""
    retry = RetryPolicy(wait_initial=0.01, wait_max=0.02, **options)
    return IdeogramClient("a key", base_url=sandbox.url, retry=retry, timeout=2)


async def test_no_prompt_is_billed_twice() -> None:
    """Under resets, timeouts, truncated answers and 5xx every prompt is paid once."""
    async with (
        Sandbox(latency=0.005, limit=7, faults=FAULTS) as sandbox,
        quick(sandbox) as client,
    ):
        batch = await client.generate_many(PROMPTS)

        assert (client.limiter.in_use, client.limiter.waiting) == (0, 0)

    billed = sandbox.ledger.times_billed
    assert len(batch) == len(PROMPTS)
    assert max(billed.values()) == 1
    assert sandbox.ledger.refusals > 0
    assert 0 < len(batch.failures) < 120
    for outcome in batch:
        prompt = PROMPTS[outcome.index]
        if isinstance(outcome, Success):
            assert billed[prompt] == 1
        else:
            assert isinstance(outcome.error, OutcomeUnknownError | DecodeError)


async def test_billed_and_unanswered_is_reported_as_such() -> None:
    """Every prompt that was billed has its answer, or an error that says it may be."""
    async with (
        Sandbox(latency=0.005, faults=FAULTS) as sandbox,
        quick(sandbox) as client,
    ):
        batch = await client.generate_many(PROMPTS)

    answered = {PROMPTS[success.index] for success in batch.successes}
    reported = {
        PROMPTS[failure.index]
        for failure in batch.failures
        if isinstance(failure.error, OutcomeUnknownError | DecodeError)
    }
    assert set(sandbox.ledger.times_billed) <= answered | reported


async def test_resending_is_the_users_choice() -> None:
    """With `resend_unknown` most prompts get their answer, and some are paid twice."""
    faults: dict[Fault, float] = {"reset": 0.2, "error": 0.1}
    async with (
        Sandbox(latency=0.005, faults=faults) as sandbox,
        quick(sandbox, resend_unknown=True) as client,
    ):
        batch = await client.generate_many(PROMPTS)

    assert len(batch.successes) >= 295
    assert max(sandbox.ledger.times_billed.values()) > 1


@pytest.mark.parametrize("limit", [1, 3])
async def test_the_limit_is_never_exceeded_for_long(limit: int) -> None:
    """Under a small limit everything is answered, and refusals stay few."""
    async with Sandbox(latency=0.01, limit=limit) as sandbox, quick(sandbox) as client:
        batch = await client.generate_many(PROMPTS[:100])

    assert [type(outcome) for outcome in batch] == [Success] * 100
    assert not [outcome for outcome in batch if isinstance(outcome, Failure)]
    assert sandbox.ledger.most_in_progress == limit
    assert sandbox.ledger.refusals < 60


async def leave_early(client: IdeogramClient) -> None:
    """Read one outcome and raise."""
    async with client.stream_many(PROMPTS) as outcomes:
        async for _ in outcomes:
            raise KeyError("mine")


async def test_errors_of_the_reader_pass_as_they_are() -> None:
    """What the body of `stream_many` raises comes out, and ends the batch."""
    async with Sandbox(latency=0.005) as sandbox, quick(sandbox) as client:
        with pytest.raises(KeyError, match="mine"):
            await leave_early(client)

        assert (client.limiter.in_use, client.limiter.waiting) == (0, 0)

    assert len(sandbox.ledger.charges) < 100
