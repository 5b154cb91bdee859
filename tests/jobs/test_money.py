"""The budget of a job, against the ledger of a server."""

from __future__ import annotations

from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest

from ideogram_async import BudgetExceededError, Cost, GenerateV3, RetryPolicy
from ideogram_async.jobs import Job

from ..servers import hang_up, refuse
from .shop import price, selling, shop


PROMPTS = [f"prompt {number}" for number in range(40)]


@pytest.mark.parametrize("budget", ["0.10", 0.10, Decimal("0.10")])
async def test_requests_at_once_do_not_overshoot(tmp_path: Path, budget: Any) -> None:
    """However many leave at once, no more is spent than the budget."""
    async with selling(shop(seconds=0.02)) as (server, client):
        job = Job(PROMPTS, tmp_path, budget=budget, price=price)
        first = await job.run(client)
        again = await job.run(client)
        job.budget = "0.20"
        more = await job.run(client)

    assert isinstance(first.ended, BudgetExceededError)
    assert str(first.ended) == (
        "the next request costs 0.03 USD, and 0.09 of 0.1 USD are spent: run it again"
        " with a larger budget"
    )
    assert (first.counts["saved"], again.images, more.counts["saved"]) == (3, 0, 6)
    assert server.ran == 6


async def test_what_is_refused_frees_its_money(tmp_path: Path) -> None:
    """Money that was set aside for a refused request serves another one."""
    acts = {prompt: refuse(422, after=0.05) for prompt in PROMPTS[:10]}
    async with selling(shop(acts)) as (server, client):
        report = await Job(PROMPTS, tmp_path, budget="0.06", price=price).run(client)

    assert report.counts["failed"] == 10
    assert report.counts["saved"] == server.ran == 2
    assert str(report.spent) == "0.06"


async def test_a_program_that_rounds_its_own_numbers(tmp_path: Path) -> None:
    """Money is reckoned in full, whatever decimal context the program has set."""
    async with selling(shop()) as (server, client):
        with localcontext(prec=1):
            job = Job(PROMPTS, tmp_path, budget="0.16", price=price)
            report = await job.run(client)
            costs = client.stats().costs
            total = Cost.total([Cost(Decimal("0.06"), "USD")] * 5)

    assert (str(report.spent), server.ran) == ("0.15", 5)
    assert costs == {"USD": Decimal("0.30")} == {"USD": total.amount}


def odd(request: Any) -> Cost:
    """Return a price for cats in dollars, for dogs in credits, and else none."""
    prices = {"a cat": Cost(Decimal(1), "USD"), "a dog": Cost(Decimal(1), "credits")}
    return prices.get(request.prompt, Cost(None, None, "unknown"))


async def test_prices_that_are_unknown(tmp_path: Path) -> None:
    """Under a budget, what has no price in its unit waits until it is allowed."""
    prompts = ["a cat", "a dog", "a fox"]
    async with selling(shop()) as (_, client):
        job = Job(prompts, tmp_path, budget=5, price=odd, concurrency=1)
        first = await job.run(client)
        job.allow_unknown_price = True
        second = await job.run(client)

    dog, fox = (str(problem.error) for problem in first.problems)
    assert dog == (
        "not sent under a budget, because its price is 1 credits, and the budget is in"
        " USD: allow_unknown_price=True (--allow-unknown-price) sends it"
    )
    assert fox.startswith("not sent under a budget, because its price is unknown: ")
    assert (first.counts["saved"], first.counts["pending"]) == (1, 2)
    assert (second.counts["saved"], second.unpriced) == (3, 2)
    assert (str(second.spent), second.unit) == ("1", "USD")


async def test_without_a_budget_anything_goes(tmp_path: Path) -> None:
    """Without a budget everything is sent, whether it has a price or not."""
    async with selling(shop()) as (_, client):
        job = Job([GenerateV3(prompt="a fox")], tmp_path, price=odd)
        report = await job.run(client)

    assert (report.counts["saved"], report.unpriced, report.unit) == (1, 1, None)


@pytest.mark.parametrize("budget", ["-1", "much", "nan", float("inf")])
def test_budgets_that_are_none(tmp_path: Path, budget: Any) -> None:
    """A budget that is no amount is refused when the job is made."""
    with pytest.raises(ValueError, match="budget must be an amount of 0 or more, got"):
        Job([], tmp_path, budget=budget)


@pytest.mark.parametrize(("budget", "ran"), [("0.03", 1), ("0.08", 2), (None, 4)])
async def test_what_is_sent_again_within_a_call_is_in_the_budget(
    tmp_path: Path, budget: str | None, ran: int
) -> None:
    """An attempt that may be paid too is sent only if there is money for it."""
    retry = RetryPolicy(wait_initial=0.01, resend_unknown=True)
    async with selling(hang_up, hang_up, hang_up, shop(), retry=retry) as (server, c):
        report = await Job(["a cat"], tmp_path, budget=budget, price=price).run(c)

    assert server.ran == ran
    assert report.spent == ran * Decimal("0.03")
    assert report.counts["saved"] == (ran == 4)
    assert report.counts["unknown"] == (ran < 4)
    if budget:
        assert "the next request costs 0.03 USD" in str(report.problems[0].error)
