"""What requests cost, in the unit of whom they are paid to.

An amount that nobody has published is unknown, and unknown is never zero: the total of
anything with an unknown part is unknown too.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from typing import Final, Literal

import attrs

from ._value import Value


Qualifier = Literal["exact", "estimate", "unknown"]
"""Published for just this; published for something like it; not published."""

MONEY: Final = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
"""How amounts are reckoned, whatever context a program has set for its own numbers."""


@attrs.frozen(eq=False, repr=False)
class Cost(Value):
    """The price of one request, or of several.

    Attributes:
        amount: How much, in *unit*; None if unknown.
        unit: Such as `"USD"` or `"credits"`; None if unknown, or if there are several.
        qualifier: `"exact"`, `"estimate"` or `"unknown"`.
        items: The cost of each request, in order, where there are several.
    """

    amount: Decimal | None
    unit: str | None
    qualifier: Qualifier = "exact"
    items: tuple[Cost, ...] = attrs.field(default=(), repr=False)

    def __str__(self) -> str:
        """Return the amount and its unit, such as `about 0.30 USD`."""
        if self.amount is None:
            return "unknown"
        about = "about " if self.qualifier == "estimate" else ""
        return f"{about}{self.amount:f} {self.unit or ''}".rstrip()

    @classmethod
    def total(cls, costs: Iterable[Cost]) -> Cost:
        """Add *costs* up, one by one; unknown if one of them is, or if units differ."""
        amount, units, qualifiers = Decimal(0), set[str | None](), set[Qualifier]()
        for cost in costs:
            amount = MONEY.add(amount, cost.amount or 0)
            units.add(cost.unit)
            qualifiers.add(cost.qualifier)
        unit = units.pop() if len(units) == 1 else None
        if "unknown" in qualifiers or units:
            return cls(None, unit, "unknown")
        return cls(amount, unit, "estimate" if "estimate" in qualifiers else "exact")


UNKNOWN = Cost(None, None, "unknown")
"""No price is known, in any unit."""
