"""What takes long to import, imported in a thread.

anyio imports its backend when it is first used, and the first answer needs cattrs. Each
takes 20 to 50 ms: longer than anybody may hold an event loop. So whoever is about to
use one waits for its import first.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Final


BACKEND: Final = "anyio._backends._asyncio"
CONVERTER: Final = f"{__package__}._converter"

_imported: Final[set[str]] = set()


async def backend_ready() -> None:
    """Return when anyio can be used without holding the event loop."""
    await _ready(BACKEND)


async def converter_ready() -> None:
    """Return when answers can be made without holding the event loop."""
    await _ready(CONVERTER)


async def _ready(module: str) -> None:
    if module not in _imported:  # in `sys.modules` it is before its import ends
        await asyncio.to_thread(import_module, module)
        _imported.add(module)
