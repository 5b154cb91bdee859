"""What a client has done so far, as a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Protocol

import attrs

from ._tally import Downloads, Tally
from ._value import Value
from .costs import MONEY


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Stats(Value):
    """What a client, or one of its providers, has done so far.

    Every request is in progress, in `answered`, or in `failures`.

    Attributes:
        provider: Name of the provider; None for all of a client.
        requests: Requests that have begun.
        answered: Requests that were answered.
        failures: Requests that were not, by the class of the error; those that were
            cancelled are in it too.
        unknown: Of these, those that may have run and be billed.
        attempts: How often something was sent.
        retries: How often a step was to be sent again.
        refusals: Attempts that met a 429.
        images: Images that were released.
        withheld: Images that were made and billed, and not released.
        costs: What the answered requests cost, by unit, from published prices.
        unpriced: Answered requests whose price isn't published.
        waited: Seconds that requests waited for places, in all.
        in_service: Seconds that attempts took, in all.
        in_use: Places in use now.
        waiting: Requests that wait for places now.
        limit: Places that may be in use at once, as learnt so far.
        downloads: Images that were saved.
        failed_downloads: Images that could not be saved.
        downloaded: Bytes of images that came, of downloads that have ended.
        downloading: Seconds that downloads took, in all.
        providers: The same for each provider, where there are several.
    """

    provider: str | None = None
    requests: int = 0
    answered: int = 0
    failures: Mapping[str, int] = attrs.field(factory=dict[str, int])
    unknown: int = 0
    attempts: int = 0
    retries: int = 0
    refusals: int = 0
    images: int = 0
    withheld: int = 0
    costs: Mapping[str, Decimal] = attrs.field(factory=dict[str, Decimal])
    unpriced: int = 0
    waited: float = 0.0
    in_service: float = 0.0
    in_use: int = 0
    waiting: int = 0
    limit: int = 0
    downloads: int = 0
    failed_downloads: int = 0
    downloaded: int = 0
    downloading: float = 0.0
    providers: tuple[Stats, ...] = ()


class Places(Protocol):
    """What is asked of a gate."""

    @property
    def in_use(self) -> int:
        """Places in use."""
        ...

    @property
    def waiting(self) -> int:
        """Requests that wait for places."""
        ...

    @property
    def limit(self) -> int:
        """Places that may be in use at once."""
        ...


SUMS = (
    *("requests", "answered", "unknown", "attempts", "retries", "refusals", "images"),
    *("withheld", "unpriced", "waited", "in_service"),
)
GATES = ("in_use", "waiting", "limit")


def stats_of(name: str, tally: Tally, gate: Places) -> Stats:
    """Return the counters of a provider as they are now."""
    return Stats(
        provider=name,
        failures=dict(tally.failures),
        costs=dict(tally.costs),
        **{each: getattr(tally, each) for each in SUMS},
        **{each: getattr(gate, each) for each in GATES},
    )


def total(
    parts: Iterable[Stats], handed_over: Counter[str], downloads: Downloads
) -> Stats:
    """Return the counters of a client.

    Args:
        parts: Those of its providers.
        handed_over: Failures at one provider after which another was asked, by class;
            to the client they are none, and no requests of their own.
        downloads: Those of its downloads.
    """
    parts = tuple(parts)
    failures, costs = Counter[str](), dict[str, Decimal]()
    for part in parts:
        failures.update(part.failures)
        for unit, amount in part.costs.items():
            costs[unit] = MONEY.add(costs.get(unit, Decimal(0)), amount)
    sums = {each: sum(getattr(p, each) for p in parts) for each in (*SUMS, *GATES)}
    sums["requests"] -= handed_over.total()
    return Stats(
        failures=dict(failures - handed_over),
        costs=costs,
        **sums,
        **attrs.asdict(downloads),
        providers=parts if len(parts) > 1 else (),
    )
