"""Published prices, as tables: what decides a price is named, and nothing is guessed.

Sources are the price pages; a price that is on none of them is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, Literal

import attrs

from .._plain import field_names
from .._value import Value
from ..costs import MONEY, Cost, Qualifier
from ..requests import Request


DEFAULTS: Final[Mapping[str, str]] = {
    "model": "V_2",
    "rendering_speed": "DEFAULT",
    "upscale_factor": "X1",
}
"""What the service takes for fields that decide a price and are not given."""


MOST_KNOWN: Final = 1024
"""How many prices a list keeps that it has looked up."""


@attrs.frozen(eq=False, repr=False)
class Price(Value):
    """The price of an image, or of a request, by what it is made with.

    Attributes:
        amounts: The price by the values of the fields *by*, joined by a space.
        by: The fields that decide it.
        given: Fields that must be given for this price to apply.
        per: Whether each image that is asked for is paid, or the request as a whole.
        qualifier: Whether it is published for just this, or for something like it.
    """

    amounts: Mapping[str, str]
    by: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    per: Literal["image", "request"] = "image"
    qualifier: Literal["exact", "estimate"] = "exact"

    def applies(self, request: Request[Any]) -> bool:
        """Whether this is the price of such a request."""
        for name in self.given:  # noqa: SIM110  # `all` would cost twice as much
            if getattr(request, name, None) is None:
                return False
        return True

    def cost(self, request: Request[Any], unit: str | None) -> Cost:
        """Return what *request* costs; unknown if nothing is published for it."""
        given = vars(request).get
        values = [
            DEFAULTS.get(name, "") if (value := given(name)) is None else str(value)
            for name in self.by
        ]
        amount = self.amounts.get(" ".join(values))
        if amount is None:
            return Cost(None, unit, "unknown")
        images = given("num_images") or 1
        return _cost(amount, images if self.per == "image" else 1, unit, self.qualifier)


@lru_cache(maxsize=256)
def _cost(amount: str, number: int, unit: str | None, qualifier: Qualifier) -> Cost:
    """Return the price of several; the same value for the same."""
    return Cost(MONEY.multiply(Decimal(amount), number), unit, qualifier)


def flat(amount: str, **more: Any) -> Price:
    """Return a price per request that nothing else decides."""
    return Price({"": amount}, per="request", **more)


@attrs.frozen(eq=False, repr=False)
class PriceList(Value):
    """What a provider has published about its prices.

    Attributes:
        unit: Such as `"USD"` or `"credits"`; None if nothing is known.
        source: Where it is published.
        seen: When it was taken over from there.
        prices: Prices by request class; the first that applies decides.
        _deciding: Takes out of a request of the class the values that decide.
        _known: Costs by class and those values.
    """

    unit: str | None = None
    source: str = "not published"
    seen: date | None = None
    prices: Mapping[type[Request[Any]], tuple[Price, ...]] = attrs.field(
        factory=dict[type[Request[Any]], tuple[Price, ...]]
    )
    _deciding: dict[type, Callable[[Request[Any]], Any]] = attrs.field(
        factory=dict[type, Callable[[Request[Any]], Any]],
        init=False,
        eq=False,
        repr=False,
    )
    _known: dict[Any, Cost] = attrs.field(
        factory=dict[Any, Cost], init=False, eq=False, repr=False
    )

    def cost(self, request: Request[Any]) -> Cost:
        """Return what *request* costs; asking (GET) costs nothing.

        Every answer is priced, and most are alike in what decides the price, so what
        was looked up once is kept.
        """
        kind = type(request)
        try:
            return self._known[kind, self._deciding[kind](request)]
        except (KeyError, TypeError):  # it is new, or has a value without a hash
            return self._remembered(request)

    def _remembered(self, request: Request[Any]) -> Cost:
        """Look the price up, and keep it unless it hangs on files, which are large."""
        cost, kind, fields = self._looked_up(request), type(request), vars(request)
        prices = self.prices.get(kind, ())
        given = {name for price in prices for name in price.given}
        names = {"num_images", *given, *(name for price in prices for name in price.by)}
        known = sorted(names.intersection(field_names(kind)))
        self._deciding[kind] = deciding = attrgetter(*known) if known else _nothing
        if all(fields.get(n) is None for n in given) and len(self._known) < MOST_KNOWN:
            self._known[kind, deciding(request)] = cost
        return cost

    def _looked_up(self, request: Request[Any]) -> Cost:
        if request.endpoint.method == "GET":
            return Cost(Decimal(0), self.unit)
        for price in self.prices.get(type(request), ()):
            if price.applies(request):
                return price.cost(request, self.unit)
        return Cost(None, self.unit, "unknown")


def _nothing(_: object) -> None:
    """Stand for the values of a class whose price hangs on none."""
