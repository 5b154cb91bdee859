"""Costs add up, and what is unknown stays unknown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ideogram_async import Cost


SIX = Cost(Decimal("0.06"), "USD")
ABOUT_TEN = Cost(Decimal("0.10"), "USD", "estimate")
CREDITS = Cost(Decimal(1800), "credits")
UNKNOWN = Cost(None, "USD", "unknown")


@pytest.mark.parametrize(
    ("costs", "expected", "text"),
    [
        ([], Cost(Decimal(0), None), "0"),
        ([SIX, SIX], Cost(Decimal("0.12"), "USD"), "0.12 USD"),
        (
            [SIX, ABOUT_TEN],
            Cost(Decimal("0.16"), "USD", "estimate"),
            "about 0.16 USD",
        ),
        ([SIX, UNKNOWN], Cost(None, "USD", "unknown"), "unknown"),
        ([SIX, CREDITS], Cost(None, None, "unknown"), "unknown"),
        ([CREDITS], CREDITS, "1800 credits"),
    ],
)
def test_total(costs: list[Cost], expected: Cost, text: str) -> None:
    """A total is as certain as its least certain part, and has one unit or none."""
    total = Cost.total(iter(costs))

    assert total == expected
    assert str(total) == text
