"""Jobs over several providers: whose price is set aside, and whose is spent."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ideogram_async import BudgetExceededError, GenerateV3, IdeogramClient
from ideogram_async.jobs import Job
from ideogram_async.providers import AiHubMix, Ideogram, Price, PriceList

from ..servers import Act, Server, refuse
from .shop import manifest, shop


class Dear(Ideogram):
    """A provider that costs half as much again."""

    name = "dear"
    prices = PriceList(
        "USD",
        "https://example.com",
        date(2026, 1, 1),
        {GenerateV3: (Price({"": "0.09"}),)},
    )


@pytest.mark.parametrize(
    ("first", "provider", "cost"),
    [
        pytest.param(refuse(402), "dear", "0.09", id="refused by the first"),
        pytest.param(shop(), "aihubmix", "0.06", id="answered by the first"),
    ],
)
async def test_the_price_is_that_of_who_answers(
    tmp_path: Path, first: Act, provider: str, cost: str
) -> None:
    """What is spent is the price of the provider that answered."""
    async with Server(first) as cheap, Server(shop()) as dear:
        providers = [AiHubMix("a key", cheap.url), Dear("another", dear.url)]
        async with IdeogramClient(provider=providers) as client:
            report = await Job(["a cat"], tmp_path, budget="0.10").run(client)

    assert manifest(tmp_path)[0]["cost"] == str(report.spent) == cost
    assert report.is_complete
    assert (cheap.ran, dear.ran) == ((1, 0) if provider == "aihubmix" else (0, 1))


async def test_a_budget_is_for_the_dearest(tmp_path: Path) -> None:
    """A request that the dearest provider would put over the budget is not sent."""
    async with Server(shop()) as cheap, Server(shop()) as dear:
        providers = [AiHubMix("a key", cheap.url), Dear("another", dear.url)]
        async with IdeogramClient(provider=providers) as client:
            report = await Job(["a cat"], tmp_path, budget="0.08").run(client)

    assert isinstance(report.ended, BudgetExceededError)
    assert cheap.requests == dear.requests == []


async def test_one_locked_provider_does_not_end_a_job(tmp_path: Path) -> None:
    """While another provider takes the key a job goes on; after the last it ends."""
    async with Server(refuse(401)) as first, Server(shop()) as second:
        providers = [AiHubMix("a key", first.url), Ideogram("another", second.url)]
        async with IdeogramClient(provider=providers) as client:
            prompts = [str(number) for number in range(30)]
            report = await Job(prompts, tmp_path).run(client)

    assert report.counts["saved"] == 30
