"""anyio's backend, imported in a thread.

anyio imports it when it is first used, and that takes 25 to 50 ms: longer than anybody
may hold an event loop. So whoever is about to use anyio waits for the import first.
"""

from __future__ import annotations

import asyncio
from functools import cache
from importlib import import_module
from types import ModuleType


@cache
def _backend() -> ModuleType:
    return import_module("anyio._backends._asyncio")


async def backend_ready() -> None:
    """Return when anyio can be used without holding the event loop."""
    if not _backend.cache_info().currsize:
        await asyncio.to_thread(_backend)
