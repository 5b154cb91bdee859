"""The counters of a client, which are always on."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import attrs

from .costs import MONEY, Cost


@attrs.define(eq=False, repr=False)
class Tally:
    """The counters of one provider; see `Stats` for the meanings.

    Attributes:
        handed_over: Failures after which another provider was asked, by class.
    """

    requests: int = 0
    answered: int = 0
    failures: Counter[str] = attrs.field(factory=Counter[str])
    handed_over: Counter[str] = attrs.field(factory=Counter[str])
    unknown: int = 0
    attempts: int = 0
    retries: int = 0
    refusals: int = 0
    images: int = 0
    withheld: int = 0
    costs: dict[str, Decimal] = attrs.field(factory=dict[str, Decimal])
    unpriced: int = 0
    waited: float = 0.0
    in_service: float = 0.0

    def pay(self, cost: Cost) -> None:
        """Add what an answered request cost."""
        amount, unit = cost.amount, cost.unit or ""
        if amount is None:
            self.unpriced += 1
        elif unit in self.costs:
            self.costs[unit] = MONEY.add(self.costs[unit], amount)
        else:
            self.costs[unit] = amount


@attrs.define(eq=False, repr=False)
class Downloads:
    """The counters of downloads; see `Stats` for the meanings."""

    downloads: int = 0
    failed_downloads: int = 0
    downloaded: int = 0
    downloading: float = 0.0
