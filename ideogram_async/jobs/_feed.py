"""The feed: draws rows from the source, matches them with the journal, serves items."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import anyio
import attrs
from anyio import to_thread

from .._call import Call, Halt
from ..errors import JournalError, NotSentError
from ..requests import Request
from ._identity import described, digest_of, uploads_of
from ._items import Item, Row, Terms, as_text
from ._journal import Journal


PAGE: Final = 64
"""Rows that are drawn, and looked up, at once."""
LARGEST_PAGE: Final = 2048
"""The same, while all rows turn out to be done already."""

Drawn = tuple[Item, Request[Any]]

Source = Iterator[Any] | AsyncIterator[Any]


@attrs.define(eq=False)
class Feed:
    """The items that a run works on, drawn as they are needed.

    Attributes:
        source: Gives prompts, requests, or an exception that stands for a bad row.
        make: Makes a request of a prompt, or raises ValueError.
        journal: Knows which rows were there before.
        terms: Which of them are worked on.
        limit: Rows to draw at most; None for all.
        halt: Ends the feed.
        on_bad_row: Told of each row that is no request.
        page: Rows that are drawn, and looked up, at once; more, while all of them turn
            out to be done already.
        drawn: Rows drawn so far.
        is_whole: Whether the source was read to its end.
        error: What the source raised, which is its end.
    """

    source: Source
    make: Callable[[Any], Request[Any]]
    journal: Journal
    terms: Terms
    limit: int | None
    halt: Halt
    on_bad_row: Callable[[int, Exception], None]
    page: int = PAGE
    drawn: int = 0
    is_whole: bool = False
    error: Exception | None = None
    _ready: deque[Drawn] = attrs.field(factory=deque["Drawn"], init=False)
    _page: int = attrs.field(init=False)
    _lock: anyio.Lock = attrs.field(factory=anyio.Lock, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with small pages."""
        self._page = self.page

    async def draw(self) -> Drawn | None:
        """Return the next item to work on and its request, or None at the end."""
        async with self._lock:
            while not (self._ready or self._is_over()):
                rows = [await self._row()]
                while isinstance(self.source, Iterator) and self._wants(rows):
                    rows.append(await self._row())
                await self._admit([row for row in rows if row is not None])
        return self._ready.popleft() if self._ready and not self.halt.reason else None

    async def draw_page(self) -> list[Drawn]:
        """Return the items that were looked up together, or none at the end."""
        first = await self.draw()
        page = [first, *self._ready] if first is not None else []
        self._ready.clear()
        return page

    @property
    def is_drawn(self) -> bool:
        """Whether all rows that are wanted were drawn."""
        return self.is_whole or self.drawn == self.limit

    def _is_over(self) -> bool:
        return bool(self.is_drawn or self.error or self.halt.reason)

    def _wants(self, rows: list[Any]) -> bool:
        return len(rows) < self._page and not self._is_over()

    async def _row(self) -> tuple[int, Request[Any]] | None:
        try:
            row = await self._next()
        except (StopIteration, StopAsyncIteration):
            self.is_whole = True
            return None
        except NotSentError:
            return None
        except Exception as error:  # noqa: BLE001  # the end of the source
            self.error = error
            return None
        position = self.drawn
        self.drawn += 1
        try:
            return position, self.make(_sound(row))
        except Exception as error:  # noqa: BLE001  # one row never harms another
            self.on_bad_row(position, error)
            return None

    async def _next(self) -> Any:
        source = self.source
        if isinstance(source, Iterator):
            found = next(source, self)
            if found is self:
                raise StopAsyncIteration
            return found
        call = Call(halt=self.halt)
        return await call.wait(lambda: anext(source), "for the source")

    async def _admit(self, rows: list[tuple[int, Request[Any]]]) -> None:
        if any(uploads_of(request) for _, request in rows):
            found = await to_thread.run_sync(self._identified, rows)
        else:
            found = self._identified(rows)
        requests = dict(rows)
        for position, error in found[1]:
            self.on_bad_row(position, error)
        try:
            items = await self.journal.admit(found[0], self.terms)
            self._ready.extend((item, requests[item.position]) for item in items)
            self._page = self.page if items else min(2 * self._page, LARGEST_PAGE)
        except JournalError as error:
            self.halt.end(error)

    def _identified(
        self, rows: list[tuple[int, Request[Any]]]
    ) -> tuple[list[Row], list[tuple[int, ValueError]]]:
        known, bad = list[Row](), list[tuple[int, ValueError]]()
        for position, request in rows:
            try:
                asked = described(request)
                text = as_text(asked)
                digest = digest_of(request, asked)
                known.append((position, digest, text, request))
            except ValueError as error:
                bad.append((position, error))
        return known, bad


def _sound(row: Any) -> Any:
    if isinstance(row, Exception):
        raise row
    return row
