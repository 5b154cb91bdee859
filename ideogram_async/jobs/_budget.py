"""The budget: money is set aside before a request is sent, and settled after.

So requests at the same time can't go over it together. One that doesn't fit waits while
something under way may still turn out to be free; else the budget is exceeded.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from typing import Any

import anyio
import attrs

from ..costs import MONEY, Cost
from ..errors import BudgetExceededError
from ..requests import Request
from ._items import Item
from ._journal import Journal
from ._values import NANO, money


Price = Callable[[Request[Any]], Cost]
"""Tells what a request costs."""


@attrs.define(eq=False)
class Budget:
    """The money of a job.

    Attributes:
        limit: The most that may be spent, in billionths; None for any amount.
        price: Tells what a request costs.
        allow_unknown_price: Whether requests without a known price are sent although
            there is a limit.
        journal: Knows what was spent.
        reserved: Set aside for what is under way, in billionths.
    """

    limit: int | None
    price: Price
    allow_unknown_price: bool
    journal: Journal
    reserved: int = 0
    _changed: anyio.Event = attrs.field(factory=anyio.Event, init=False)

    @property
    def spent(self) -> int:
        """Money that is spent, without what is set aside, in billionths."""
        return self.journal.spent

    def price_of(self, request: Request[Any]) -> int | None:
        """Return the price of *request* in billionths, or None if unknown.

        Raises:
            BudgetExceededError: It is unknown, in whole or in the budget's unit, and
                that isn't allowed.
        """
        cost = self.price(request)
        if cost.amount is not None and cost.unit is not None:
            if self.journal.unit is None:
                self.journal.count_in(cost.unit)
            if cost.unit == self.journal.unit:
                return in_nano(cost.amount)
        if self.limit is not None and not self.allow_unknown_price:
            wrong = f"its price is {cost}"
            if cost.amount is not None:
                wrong += f", and the budget is in {self.journal.unit}"
            raise BudgetExceededError(
                f"not sent under a budget, because {wrong}:"
                " allow_unknown_price=True (--allow-unknown-price) sends it"
            )
        return None

    async def reserve(self, price: int) -> None:
        """Set *price* aside, as soon as it fits.

        Raises:
            BudgetExceededError: It will not fit, whatever becomes of the others.
        """
        while self.reserved and not self._fits(price):
            await self._changed.wait()
        self.reserve_now(price)

    def reserve_now(self, price: int) -> None:
        """Set *price* aside without waiting, as one who keeps others waiting must.

        Raises:
            BudgetExceededError: It doesn't fit now.
        """
        if not self._fits(price):
            unit, taken = self.journal.unit, self.spent + self.reserved
            raise BudgetExceededError(
                f"the next request costs {money(price):f} {unit}, and"
                f" {money(taken):f} of {money(self.limit or 0):f} {unit} are spent:"
                " run it again with a larger budget"
            )
        self.reserved += price

    def _fits(self, price: int) -> bool:
        taken = self.spent + self.reserved
        return self.limit is None or taken + price <= self.limit

    def settle(self, reserved: int, item: Item, cost_before: int) -> None:
        """Give back what was set aside for *item*, of which some may be spent."""
        self.reserved -= reserved
        self.journal.spent += item.cost - cost_before
        self._changed.set()
        self._changed = anyio.Event()


def in_nano(amount: Decimal | str | float) -> int:
    """Return *amount* in billionths, rounded up.

    Raises:
        ValueError: It is no amount of money, or below 0.
    """
    try:
        nano = MONEY.multiply(MONEY.create_decimal(str(amount)), NANO)
        nano = nano.to_integral_value(ROUND_CEILING, MONEY)
    except ArithmeticError:
        nano = Decimal("NaN")
    if not nano.is_finite() or nano < 0:
        raise ValueError(f"budget must be an amount of 0 or more, got {amount!r}")
    return int(nano)
