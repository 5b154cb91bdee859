"""What became of many requests: values, in input order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar, overload

import attrs

from . import responses
from ._value import Value
from .costs import UNKNOWN, Cost
from .requests import Request


T = TypeVar("T")

INDEX: Final = attrgetter("index")
"""What the order of a batch goes by."""


@attrs.frozen(eq=False, repr=False)
class Success(Value, Generic[T]):
    """An item that was answered.

    Attributes:
        index: Its position in the source, from 0.
        request: What was sent.
        response: The answer.
        attempts: How often it was sent, refusals included.
        provider: Name of the provider that answered.
        cost: What it cost there, by its published prices.
    """

    index: int
    request: Request[T]
    response: T
    attempts: int = 1
    provider: str | None = None
    cost: Cost = UNKNOWN


@attrs.frozen(eq=False, repr=False)
class Failure(Value):
    """An item that was not answered.

    Attributes:
        index: Its position in the source, from 0.
        request: What was to be sent; None if no request could be made.
        error: Why not: an `IdeogramError`, the `ValueError` of a bad item, or what the
            source raised, which ends the batch.
        attempts: How often it was sent, refusals included; 0 if never.
        is_of_source: Whether *error* is what the source raised.
    """

    index: int
    request: Request[Any] | None
    error: Exception
    attempts: int = 0
    is_of_source: bool = False


class Batch(Sequence[Success[T] | Failure], Generic[T]):
    """The outcomes of many requests, in input order.

    Args:
        outcomes: The outcomes, in any order.
        is_sorted: Whether they are in input order already.
    """

    def __init__(
        self, outcomes: Iterable[Success[T] | Failure], *, is_sorted: bool = False
    ) -> None:
        self._outcomes = [*outcomes] if is_sorted else sorted(outcomes, key=INDEX)

    @overload
    def __getitem__(self, index: int) -> Success[T] | Failure: ...
    @overload
    def __getitem__(self, index: slice) -> Batch[T]: ...
    def __getitem__(self, index: int | slice) -> Success[T] | Failure | Batch[T]:
        """Return one outcome, or a part of the batch."""
        if isinstance(index, slice):
            return Batch(self._outcomes[index])
        return self._outcomes[index]

    def __len__(self) -> int:
        """Return the number of outcomes."""
        return len(self._outcomes)

    def __repr__(self) -> str:
        """Return the counts."""
        return f"<Batch of {len(self)}, {len(self.failures)} failed>"

    @property
    def successes(self) -> list[Success[T]]:
        """The items that were answered."""
        return [each for each in self._outcomes if isinstance(each, Success)]

    @property
    def failures(self) -> list[Failure]:
        """The items that were not answered."""
        return [each for each in self._outcomes if isinstance(each, Failure)]

    @property
    def images(self) -> list[responses.ImageObject]:
        """Every image that can be downloaded, in input order."""
        return [
            image
            for each in self._outcomes
            if isinstance(each, Success)
            for image in getattr(each.response, "images", ())
        ]

    @property
    def cost(self) -> Cost:
        """What the items that were answered cost together, by published prices."""
        return Cost.total(success.cost for success in self.successes)

    def raise_for_failures(self) -> None:
        """Raise all errors as one group, if there are any.

        Raises:
            ExceptionGroup: Some items failed.
        """
        if failures := self.failures:
            raise ExceptionGroup(
                f"{len(failures)} of {len(self)} requests failed",
                [failure.error for failure in failures],
            )
