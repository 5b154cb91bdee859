"""One item of a job, and how rows of the source become items."""

from __future__ import annotations

from typing import Any

import attrs

from ..requests import Request
from ._values import State


@attrs.define(eq=False)
class Item:
    """One item of the journal, as far as this run works on it.

    Attributes:
        id: Its number in the journal.
        position: Its place in the source, from 0.
        state: How far it is.
        cost: Money spent on it, in billionths, also what may have been billed.
        unpriced: How many of its requests had no known price.
        request: What to send; None for one that only needs its images.
    """

    id: int
    position: int
    state: State
    cost: int = 0
    unpriced: int = 0
    request: Request[Any] | None = None


@attrs.frozen
class Terms:
    """How the rows of a source are matched with the journal.

    Attributes:
        states: States whose items are worked on.
        dedupe: Whether a row equal to an earlier one is left out.
    """

    states: tuple[State, ...] = ("pending",)
    dedupe: bool = False


Row = tuple[int, bytes, Request[Any]]
"""A row of the source: position, digest, and request."""
