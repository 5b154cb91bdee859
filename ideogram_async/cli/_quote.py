"""Says what a file of prompts would cost, without sending anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..costs import Cost
from ..providers import Provider
from ..requests import Request


def quote(provider: type[Provider], requests: Iterable[Request[Any]]) -> list[str]:
    """Return the lines of a quote: requests by their price, and the total.

    Args:
        provider: Whose prices.
        requests: What would be sent, drawn one by one.
    """
    counts: Counter[tuple[str, int, Cost]] = Counter()
    for request in requests:
        counts[type(request).__name__, request.places, provider.cost(request)] += 1
    total = Cost.total(cost for (*_, cost), n in counts.items() for _ in range(n))
    images = sum(places * count for (_, places, _), count in counts.items())
    rows = [
        (f"{count:,}", name, f"of {places}", str(cost))
        for (name, places, cost), count in counts.most_common()
    ]
    width = max((len(count) for count, *_ in rows), default=0)
    lines = [f"{n:>{width}} x {name} {of}: {each} each" for n, name, of, each in rows]
    prices = provider.prices
    seen = f", as of {prices.seen}" if prices.seen else ""
    return [
        *lines,
        f"total: {total} for {images:,} {'image' if images == 1 else 'images'}",
        f"prices of {provider.name}: {prices.source}{seen}; nothing was sent",
    ]
