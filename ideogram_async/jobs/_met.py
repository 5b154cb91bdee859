"""Which items of the journal this run's source has had: a bit for each.

It is in memory, so that a run over a million items that are done writes nothing.
"""

from __future__ import annotations

import sqlite3
from typing import Any


class Met:
    """The items that rows of the source were matched with, in this run."""

    def __init__(self) -> None:
        self._bits = bytearray()
        self._last: dict[bytes, int] = {}
        """The last one that was met of equal items, which are met in their order."""
        self._unsure: list[int] = []

    def confirm(self) -> None:
        """Note that what was met is on disk."""
        self._unsure.clear()

    def undo(self) -> None:
        """Forget what was met since `confirm`: it is to be written once more."""
        for number in self._unsure:
            self._bits[number >> 3] &= ~(1 << (number & 7))
        if self._unsure:
            self._last.clear()
        self._unsure.clear()

    def __contains__(self, number: int) -> bool:
        """Whether the item of that number was met."""
        place = number >> 3
        return place < len(self._bits) and bool(self._bits[place] >> (number & 7) & 1)

    def add(self, number: int) -> None:
        """Note that the item of that number was met."""
        short = (number >> 3) + 1 - len(self._bits)
        if short > 0:
            self._bits.extend(bytes(short + len(self._bits)))
        self._bits[number >> 3] |= 1 << (number & 7)
        self._unsure.append(number)

    def next(self, connection: sqlite3.Connection, digest: bytes) -> Any:
        """Meet the first item of *digest* that was not met yet, and return its row.

        It is None if all were met. The row: number, position, state, cost, unpriced.
        """
        while True:
            found = connection.execute(
                "SELECT id, position, state, cost, unpriced FROM items"
                " WHERE digest = ? AND id > ? ORDER BY id LIMIT 1",
                (digest, self._last.get(digest, 0)),
            ).fetchone()
            if found is None or found[0] not in self:
                break
            self._last[digest] = found[0]
        if found is not None:
            self.add(found[0])
        return found

    def has_any(self, connection: sqlite3.Connection, digest: bytes) -> bool:
        """Whether an item of *digest* was met."""
        found = connection.execute(
            "SELECT min(id) FROM items WHERE digest = ?", (digest,)
        ).fetchone()
        return found[0] is not None and found[0] in self

    def forget_others(self, connection: sqlite3.Connection) -> int:
        """Delete what was never sent and not met, and return how many these were."""
        pending = connection.execute(
            "SELECT id FROM items WHERE state = 'pending' AND cost = 0 AND unpriced = 0"
        )
        others = [row for row in pending if row[0] not in self]
        connection.executemany("DELETE FROM items WHERE id = ?", others)
        return len(others)
