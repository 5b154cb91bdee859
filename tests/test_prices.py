"""Prices: what is published is said to the cent, and all else is unknown."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs
import pytest

from ideogram_async import (
    Cost,
    Describe,
    DescribeV4,
    EditLegacy,
    EditWithPrompt,
    GenerateDesignV3,
    GenerateLegacy,
    GenerateTransparentV3,
    GenerateV3,
    GenerateV4,
    IdeogramClient,
    LayerizeTextV3,
    ListModels,
    MagicPromptV4,
    ReframeLegacy,
    RemixLegacy,
    RemoveBackground,
    Request,
    TrainModelV3,
    UnsupportedRequestError,
    Upload,
    Upscale,
)
from ideogram_async.costs import UNKNOWN
from ideogram_async.providers import PROVIDERS, Ideogram


IMAGE = Upload.from_bytes(b"\x89PNG\r\n\x1a\n", "cat.png")
SQUARE = "RESOLUTION_1024_1024"

PRICES: list[tuple[str, Request[Any], str | None]] = [
    ("ideogram", GenerateV3("x"), "0.06 USD"),
    ("ideogram", GenerateV3("x", rendering_speed="FLASH"), "0.03 USD"),
    ("ideogram", GenerateV3("x", rendering_speed="TURBO", num_images=4), "0.12 USD"),
    ("ideogram", GenerateV3("x", rendering_speed="QUALITY"), "0.09 USD"),
    ("ideogram", GenerateV3("x", character_reference_images=[IMAGE]), "0.15 USD"),
    (
        "ideogram",
        GenerateV3("x", character_reference_images=[IMAGE], rendering_speed="FLASH"),
        None,
    ),
    ("ideogram", GenerateV3("x", custom_model_uri="model/a/version/1"), "0.12 USD"),
    ("ideogram", GenerateTransparentV3("x"), "0.07 USD"),
    (
        "ideogram",
        GenerateTransparentV3("x", rendering_speed="TURBO", upscale_factor="X4"),
        "0.20 USD",
    ),
    (
        "ideogram",
        GenerateTransparentV3("x", custom_model_uri="model/a/version/1"),
        None,
    ),
    ("ideogram", GenerateDesignV3("x"), "about 0.15 USD"),
    ("ideogram", GenerateV4(text_prompt="x", rendering_speed="QUALITY"), "0.10 USD"),
    ("ideogram", EditWithPrompt("x", num_images=3), "0.60 USD"),
    ("ideogram", Upscale(image_file=IMAGE, num_images=3), "0.06 USD"),
    ("ideogram", Describe(image_file=IMAGE), "0.01 USD"),
    ("ideogram", DescribeV4(image_file=IMAGE), "about 0.01 USD"),
    ("ideogram", RemoveBackground(image=IMAGE), "0.01 USD"),
    ("ideogram", LayerizeTextV3(image=IMAGE), "0.09 USD"),
    ("ideogram", MagicPromptV4("x"), None),
    ("ideogram", TrainModelV3(dataset_id="a", model_name="a model"), "40 USD"),
    ("ideogram", ListModels(), "0 USD"),
    ("ideogram", GenerateLegacy("x"), "0.08 USD"),
    ("ideogram", GenerateLegacy("x", model="V_2A_TURBO", num_images=2), "0.050 USD"),
    ("ideogram", GenerateLegacy("x", model="AUTO"), None),
    (
        "ideogram",
        ReframeLegacy(image_file=IMAGE, resolution=SQUARE, model="V_2"),
        "about 0.08 USD",
    ),
    ("openai-hk", GenerateV3("x"), "1800 credits"),
    ("openai-hk", GenerateV3("x", rendering_speed="FLASH"), None),
    ("openai-hk", GenerateV3("x", character_reference_images=[IMAGE]), None),
    ("openai-hk", GenerateLegacy("x", model="V_1_TURBO"), "800 credits"),
    ("openai-hk", Upscale(image_file=IMAGE), "2400 credits"),
    ("openai-hk", Describe(image_file=IMAGE), "400 credits"),
    ("aihubmix", GenerateV3("x", rendering_speed="QUALITY"), "0.09 USD"),
    ("aihubmix", RemixLegacy("x", image_file=IMAGE, model="V_1"), "0.06 USD"),
    (
        "aihubmix",
        EditLegacy("x", image_file=IMAGE, mask=IMAGE, model="V_2_TURBO"),
        "0.05 USD",
    ),
    ("aihubmix", Describe(image_file=IMAGE), None),
    ("kkiai", GenerateLegacy("x"), None),
    ("pixazo", GenerateLegacy("x"), "0.20 USD"),
    ("pixazo", GenerateLegacy("x", model="V_2_TURBO"), "0.20 USD"),
    ("pixazo", RemixLegacy("x", image_file=IMAGE, model="V_2_TURBO"), None),
    ("pixazo", Describe(image_file=IMAGE), "0.20 USD"),
]


@pytest.mark.parametrize(("name", "request_", "expected"), PRICES)
def test_price(name: str, request_: Request[Any], expected: str | None) -> None:
    """A published price is said with its unit, and nothing else is."""
    client = IdeogramClient("any key", provider=name)

    cost = client.estimate(request_)

    assert str(cost) == (expected or "unknown")
    assert (cost.amount is None) == (expected is None)
    qualified = "estimate" if "about" in str(expected) else "exact"
    assert cost.qualifier == (qualified if expected else "unknown")


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_sources(name: str) -> None:
    """Every price list says where it comes from, and no price is zero."""
    prices = PROVIDERS[name].prices

    assert bool(prices.seen) == prices.source.startswith("https://")
    assert set(prices.prices) <= set(PROVIDERS[name].routes)
    for each in prices.prices.values():
        for price in each:
            assert all(Decimal(amount) > 0 for amount in price.amounts.values())


def test_estimate_of_many() -> None:
    """Many requests have a total, and a cost each; a prompt is a default request."""
    client = IdeogramClient("any key")
    mixed = (each for each in ("a cat", EditWithPrompt("a dog")))

    cost = client.estimate(mixed, rendering_speed="TURBO")

    assert cost.amount == Decimal("0.23")
    assert cost.items == (
        Cost(Decimal("0.03"), "USD"),
        Cost(Decimal("0.20"), "USD"),
    )


def test_one_unknown_makes_the_total_unknown() -> None:
    """Unknown is never zero: it spreads, and what is known stays in the items."""
    cost = IdeogramClient("any key").estimate(["a cat", MagicPromptV4("a dog")])

    assert (cost.amount, cost.qualifier) == (None, "unknown")
    assert [each.amount for each in cost.items] == [Decimal("0.06"), None]


def test_estimate_of_what_is_not_taken() -> None:
    """What has no route has no price, and says who would take it."""
    client = IdeogramClient("any key", provider="kkiai")

    with pytest.raises(UnsupportedRequestError, match="ideogram"):
        client.estimate(GenerateV3("a cat"))
    with pytest.raises(UnsupportedRequestError, match=r"rendering_speed.*ideogram"):
        client.estimate("a cat", rendering_speed="TURBO")
    with pytest.raises(TypeError, match="speed"):
        client.estimate("a cat", speed="TURBO")


def test_cost_without_a_key() -> None:
    """A provider's class knows its prices without a key."""
    assert Ideogram.cost(GenerateV3("a cat")).amount == Decimal("0.06")
    assert UNKNOWN.amount is None


def test_prices_that_were_looked_up_are_kept() -> None:
    """A price is looked up once, for all requests that are alike in what decides it."""
    prices = attrs.evolve(Ideogram.prices)
    plain = GenerateV3("a cat", rendering_speed="TURBO", num_images=2)

    first = prices.cost(plain)
    kept = dict(prices._known)
    again = prices.cost(GenerateV3("a dog", rendering_speed="TURBO", num_images=2))
    trained = prices.cost(GenerateV3("a", custom_model_uri="model/a/version/1"))

    assert first == again == Ideogram.cost(plain)
    assert list(kept.values()) == [first]
    assert trained != first
    assert prices._known == kept
    assert "_known" not in repr(prices)


def test_prices_that_hang_on_files_keep_no_file() -> None:
    """A request with files is priced, and not kept."""
    prices = attrs.evolve(Ideogram.prices)
    request = GenerateV3("a cat", character_reference_images=(IMAGE,))

    assert prices.cost(request) == prices.cost(request) == Ideogram.cost(request)
    assert prices._known == {}


def test_few_prices_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept has a bound."""
    monkeypatch.setattr("ideogram_async.providers._prices.MOST_KNOWN", 2)
    prices = attrs.evolve(Ideogram.prices)
    costs = [prices.cost(GenerateV3("a", num_images=n)) for n in (1, 2, 3, 3)]

    assert [cost.amount for cost in costs] == [
        Decimal(price) for price in ("0.06", "0.12", "0.18", "0.18")
    ]
    assert len(prices._known) == 2
