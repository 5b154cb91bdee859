"""One item of a job, and how rows of the source become items."""

from __future__ import annotations

import attrs

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
        asked: The request, as JSON for the manifest.
    """

    id: int
    position: int
    state: State
    cost: int
    unpriced: int
    asked: str


@attrs.frozen
class Terms:
    """How the rows of a source are matched with the journal.

    Attributes:
        states: States whose items are worked on.
        dedupe: Whether a row equal to an earlier one is left out.
    """

    states: tuple[State, ...] = ("pending",)
    dedupe: bool = False


Row = tuple[int, bytes, str]
"""A row of the source: its position, its digest, and the request as JSON."""
