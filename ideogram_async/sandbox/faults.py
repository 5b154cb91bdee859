"""Faults that the sandbox can be asked for: what networks and services do."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import ClassVar, Generic, Literal, TypeVar, get_args

import attrs


F = TypeVar("F", bound=str)

Fault = Literal[
    "error_before", "reset_before", "error", "reset", "truncate", "garble", "hang"
]
"""What goes wrong with one request.

Before it runs, and is billed: `error_before` answers 500, `reset_before` drops the
connection. After it ran: `error` answers 500, `reset` drops the connection, `truncate`
drops it within the answer, `garble` sends half the JSON, `hang` never answers.
"""


@attrs.define
class Draws(Generic[F]):
    """Draws what goes wrong with each of many, or nothing.

    Attributes:
        rates: Share of them that meet each fault, in [0, 1] together.
        seed: Makes the draws repeatable.
        known: Every fault there is.
    """

    known: ClassVar[tuple[str, ...]]

    rates: Mapping[F, float] = attrs.field(factory=dict[F, float])
    seed: int = 0
    _chance: random.Random = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Check the names and seed the draws."""
        for name in self.rates:
            if name not in self.known:
                known = ", ".join(self.known)
                raise ValueError(f"unknown fault {name!r}: choose from {known}")
        self._chance = random.Random(self.seed)  # noqa: S311  # a test, no secret

    def draw(self) -> F | None:
        """Return what goes wrong with the next one."""
        drawn = self._chance.random()
        for name, rate in self.rates.items():
            drawn -= rate
            if drawn < 0:
                return name
        return None


class FaultPlan(Draws[Fault]):
    """Draws the fault of each request, or none."""

    known: ClassVar[tuple[str, ...]] = get_args(Fault)
