"""The journal: what a job knows for certain.

An item moves `pending -> sent -> answered -> saved`, or by way of `submitted` after
`sent`. `sent` is written before the request leaves, `answered` with the whole answer
before anything else happens to it. So whatever a killed run left as `sent` may have
been billed: it becomes `unknown`. What it left as `submitted` is asked for by its id,
which is written before anything is waited for.

What it is written to differs: a file for a job that runs in one process, a server for
one that runs on many.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from ..errors import IdeogramError
from ._items import Item, Reread, Row, Terms
from ._values import State
from ._writer import Work, Writer


@attrs.define(eq=False)
class Journal(ABC):
    """The open journal of one run.

    Attributes:
        unit: Of the money; None until a price was known.
        counts: How many items are in each state.
        spent: Money spent, in billionths.
        unpriced: Items that were sent without a known price.
        added: Items that this run added.
        duplicates: Rows that this run left out.
        marks: What the manifests of this journal are known by.
    """

    _writer: Writer
    unit: str | None = attrs.field(default=None, init=False)
    counts: Counter[State] = attrs.field(factory=Counter[State], init=False)
    spent: int = attrs.field(default=0, init=False)
    unpriced: int = attrs.field(default=0, init=False)
    added: int = attrs.field(default=0, init=False)
    duplicates: int = attrs.field(default=0, init=False)
    marks: tuple[str, ...] = attrs.field(default=(), init=False)

    @property
    @abstractmethod
    def is_short(self) -> bool:
        """Whether there was no room for it, but what was kept for that."""

    @abstractmethod
    async def aclose(self) -> None:
        """Write all that was handed over, and close it."""

    @abstractmethod
    def count_in(self, unit: str) -> None:
        """Count money in *unit* from now on, where no unit is known yet."""

    @abstractmethod
    async def admit(self, rows: Sequence[Row], terms: Terms) -> list[Item]:
        """Find or add *rows*, and return the items that are to be worked on."""

    async def move(self, item: Item, state: State, **columns: object) -> None:
        """Put *item* into *state*, and return when that is written.

        Raises:
            JournalError: It could not be written.
            IdeogramError: It may not be written (any more).
        """
        refusal = await self._writer.write(self._moved(item, state, columns))
        if refusal is not None:
            raise refusal

    def move_soon(self, item: Item, state: State, **columns: object) -> None:
        """Put *item* into *state*; what is written later is written after it."""
        self._writer.post(self._moved(item, state, columns))

    def move_late(self, item: Item, state: State, **columns: object) -> None:
        """Put *item* into *state*, written together with whatever comes next."""
        self._writer.keep(self._moved(item, state, columns))

    def _moved(
        self, item: Item, state: State, columns: dict[str, object]
    ) -> Work[IdeogramError | None]:
        self.counts[item.state] -= 1
        self.counts[state] += 1
        item.state = state
        spent = {"cost": item.cost, "unpriced": item.unpriced}
        return self._update(item, {"state": state, **spent, **columns})

    @abstractmethod
    def _update(
        self, item: Item, values: dict[str, object]
    ) -> Work[IdeogramError | None]:
        """Return what writes *values* into the columns of *item*.

        It returns why it may not, if so.
        """

    @abstractmethod
    async def left(self, state: State) -> dict[int, list[str | None]]:
        """Return the items that earlier runs left in *state*, with their names.

        Those are the names of images that may not be saved yet.
        """

    @abstractmethod
    async def reread(self, number: int) -> Reread:
        """Return an item that an earlier run left submitted or answered."""

    @abstractmethod
    async def settle(self, *, is_whole: bool) -> int:
        """End the run: name what is unknown; forget what the source has no more.

        Args:
            is_whole: Whether the source was read to its end.

        Returns:
            How many items that were never sent were forgotten.
        """

    @abstractmethod
    async def export(self, write: Callable[[Iterator[Any]], str]) -> bool:
        """Let *write* have every item that was sent; return whether it could write.

        What it returns marks the file that it wrote; the mark is remembered, and the
        one before, since the file isn't in its place yet.
        """
