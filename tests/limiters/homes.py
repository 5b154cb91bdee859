"""The limiters that several processes can share, each with a place for its ledger."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs

from ideogram_async import HostLimiter, PostgresLimiter
from ideogram_async.limiters._shared import SharedLimiter


@attrs.frozen
class Home:
    """Where a ledger is; it can be told to another process.

    Attributes:
        kind: `"host"` or `"postgres"`.
        address: Path of the file, or address of the database.
        key: Name of the limit in the database.
    """

    kind: str
    address: str
    key: str = attrs.field(factory=lambda: uuid.uuid4().hex)

    @classmethod
    def from_text(cls, text: str) -> Home:
        """Return the home that `text` made *text* of."""
        return cls(*json.loads(text))

    def text(self) -> str:
        """Return it as text, for the command line of another process."""
        return json.dumps(attrs.astuple(self))

    def limiter(self, places: int | None = None) -> SharedLimiter:
        """Return a new limiter on this ledger."""
        if self.kind == "host":
            return HostLimiter(Path(self.address), places)
        return PostgresLimiter(self.address, key=self.key, places=places)


def home_of(kind: str, folder: Path, dsn: Callable[[], Any]) -> Home:
    """Return a new home: in *folder*, or in the database that *dsn* gives."""
    if kind == "host":
        return Home("host", str(folder / "limits" / "ideogram.db"))
    return Home("postgres", str(dsn()))


def command(program: str, *arguments: object) -> list[str]:
    """Return the command of a process that runs a module of the tests."""
    return [sys.executable, "-m", program, *map(str, arguments)]


def environment() -> dict[str, str]:
    """Return the environment of such a process, which finds what this one finds."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
