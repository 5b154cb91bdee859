"""Faults that the sandbox can be asked for: what networks and services do."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Literal, get_args

import attrs


Fault = Literal[
    "error_before", "reset_before", "error", "reset", "truncate", "garble", "hang"
]
"""What goes wrong with one request.

Before it runs, and is billed: `error_before` answers 500, `reset_before` drops the
connection. After it ran: `error` answers 500, `reset` drops the connection, `truncate`
drops it within the answer, `garble` sends half the JSON, `hang` never answers.
"""


@attrs.define
class FaultPlan:
    """Draws the fault of each request, or none.

    Attributes:
        rates: Share of the requests that meet each fault, in [0, 1] together.
        seed: Makes the draws repeatable.
    """

    rates: Mapping[Fault, float] = attrs.field(factory=dict["Fault", float])
    seed: int = 0
    _chance: random.Random = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Check the names and seed the draws."""
        for name in self.rates:
            if name not in get_args(Fault):
                known = ", ".join(get_args(Fault))
                raise ValueError(f"unknown fault {name!r}: choose from {known}")
        self._chance = random.Random(self.seed)  # noqa: S311  # a test, no secret

    def draw(self) -> Fault | None:
        """Return what goes wrong with the next request."""
        drawn = self._chance.random()
        for name, rate in self.rates.items():
            drawn -= rate
            if drawn < 0:
                return name
        return None
