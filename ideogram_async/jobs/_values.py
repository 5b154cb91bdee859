"""What a job tells: the states of its items, its progress, and its report."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, get_args

import attrs

from ..costs import MONEY, Cost
from ..requests import Request


State = Literal[
    "pending",
    "sent",
    "submitted",
    "answered",
    "saved",
    "withheld",
    "failed",
    "unknown",
]
"""How far an item is: not sent; perhaps under way; a generation in progress, known by
its id; answered, its images not all on disk; on disk; made, billed and not released;
refused for good, or its link expired; perhaps run and billed, without an answer."""

STATES: Final[tuple[State, ...]] = get_args(State)

ENDED: Final[tuple[State, ...]] = ("saved", "withheld", "failed", "unknown")
"""Nothing more is done about an item in one of these, unless it is asked for."""

Counts = Mapping[State, int]

NANO: Final = 10**9
"""Money is counted in whole billionths of its unit, so that sums are exact."""


@attrs.frozen(kw_only=True)
class Progress:
    """How far a job is, at one moment.

    Attributes:
        total: Items in all; None while that isn't known.
        counts: How many items of the journal are in each state.
        in_use: Places in use at the service: images in progress.
        limit: Places that may be in use, as learnt so far.
        spent: Money spent so far, also by earlier runs; what may have been billed
            counts, what is under way doesn't yet.
        budget: The most that may be spent; None without a budget.
        unit: Of the money, such as `"USD"`; None while no price is known.
        rate: Items ended per second in this run.
        remaining: Seconds until the end at this rate; None while that isn't known.
    """

    total: int | None
    counts: Counts
    in_use: int
    limit: int
    spent: Decimal
    budget: Decimal | None
    unit: str | None
    rate: float
    remaining: float | None

    @property
    def ended(self) -> int:
        """Items about which nothing more is to be done."""
        return sum(self.counts[state] for state in ENDED)


@attrs.frozen(kw_only=True)
class Problem:
    """One item that has no images, or not all, and why.

    Attributes:
        position: Its place in the source, from 0.
        request: What was asked, as in the manifest; None if no request could be made.
        state: How far it came; None for a row that is no request.
        error: What went wrong.
    """

    position: int
    request: Mapping[str, Any] | None
    state: State | None
    error: Exception


@attrs.frozen(kw_only=True)
class Report:
    """What a run of a job did, and what is left.

    Attributes:
        total: Items in all, also those that were not drawn yet; None if unknown.
        counts: How many items of the journal are in each state.
        images: Images saved by this run.
        withheld: Images of this run that the service made and did not release.
        added: Items that were not in the journal before.
        removed: Items that are in the source no more and were never sent.
        duplicates: Rows left out because an equal one came before (`dedupe`).
        invalid: Rows that are no request.
        spent: Money spent by this and earlier runs, in *unit*; what may have been
            billed counts.
        spent_now: The part of it that this run spent.
        unpriced: Items that were sent although their price is unknown; *spent* is
            without them.
        unit: Of the money; None if no price was known.
        problems: What went wrong in this run, the first 50 of it.
        ended: Why the job ended before its end; None if it did all it could.
        stranded: Answers that are paid and could not be written down, as JSON values;
            their links live for a day.
        manifest: The manifest, or None if it could not be written.
    """

    total: int | None
    counts: Counts
    images: int
    withheld: int
    added: int
    removed: int
    duplicates: int
    invalid: int
    spent: Decimal
    spent_now: Decimal
    unpriced: int
    unit: str | None
    problems: tuple[Problem, ...] = attrs.field(repr=False)
    ended: BaseException | None
    stranded: tuple[Any, ...] = attrs.field(repr=False)
    manifest: Path | None

    @property
    def is_complete(self) -> bool:
        """Whether every item was answered, and every released image is on disk."""
        is_whole = self.manifest is not None and not self.stranded and not self.invalid
        return self.done == self.total and is_whole and self.ended is None

    @property
    def done(self) -> int:
        """Items that were answered, with every released image on disk."""
        return self.counts["saved"] + self.counts["withheld"]

    @property
    def left(self) -> int:
        """Items that are known, and were not sent yet."""
        settled = sum(self.counts.values()) - self.counts["pending"]
        return self.counts["pending"] if self.total is None else self.total - settled


@attrs.frozen(kw_only=True)
class Plan:
    """What a run of a job would do.

    Attributes:
        rows: Rows of the source.
        sent: Items that would be sent.
        cost: What these cost.
        counts: How many items would be in each state before anything is sent.
        duplicates: Rows that would be left out because an equal one came before.
        invalid: Rows that are no request.
        first: The first few requests that would be sent.
        problems: What is wrong with rows, the first 50 of it.
        error: What the source raised, which was its end; or None.
    """

    rows: int
    sent: int
    cost: Cost
    counts: Counts
    duplicates: int
    invalid: int
    first: tuple[Request[Any], ...] = attrs.field(repr=False)
    problems: tuple[Problem, ...] = attrs.field(repr=False)
    error: Exception | None


def money(nano: int) -> Decimal:
    """Return an amount in its unit."""
    return MONEY.divide(nano, NANO)
