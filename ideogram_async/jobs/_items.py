"""One item of a job, and how rows of the source become items."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

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
        asked: The request, as JSON for the manifest.
        resting: Its state when it is not sent after all: what may be paid stays so.
    """

    id: int
    position: int
    state: State
    cost: int
    unpriced: int
    asked: str
    resting: State = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Note what is known of it before this run."""
        self.resting = self.state if self.cost or self.unpriced else "pending"


@attrs.frozen
class Terms:
    """How the rows of a source are matched with the journal.

    Attributes:
        states: States whose items are worked on.
        dedupe: Whether a row equal to an earlier one is left out.
    """

    states: tuple[State, ...] = ("pending",)
    dedupe: bool = False


class Reread(NamedTuple):
    """What the journal knows of an item.

    Attributes:
        item: Which one.
        answer: The last answer about it, as JSON values.
        files: The names of its images; None for one that was withheld.
        price: What its generation costs, in billionths; None if unknown.
    """

    item: Item
    answer: Any
    files: list[str | None]
    price: int | None


Row = tuple[int, bytes, str, Request[Any]]
"""A row of the source: its position, its digest, the request as JSON, the request."""


def as_text(value: object) -> str:
    """Return *value* as JSON that can be written down.

    Letters stay readable, unless there is half a letter among them (a surrogate, as of
    an emoji that was cut in two), which UTF-8 has no bytes for.
    """
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text
