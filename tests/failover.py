"""A client of several providers, for tests."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from ideogram_async import (
    IdeogramClient,
)
from ideogram_async.providers import (
    AiHubMix,
    Ideogram,
    Provider,
)

from .servers import (
    QUICK,
)


KEY = "a key that is long enough"


@asynccontextmanager
async def asking(
    *urls: str, **options: Any
) -> AsyncGenerator[tuple[IdeogramClient, list[Provider]]]:
    """Make a client of several providers, and see that it leaves no place in use."""
    kinds = (Ideogram, AiHubMix, AiHubMix)
    providers: list[Provider] = [
        kind(KEY, url) for kind, url in zip(kinds, urls, strict=False)
    ]
    given = {"retry": QUICK, "timeout": 5.0} | options
    async with IdeogramClient(provider=providers, **given) as client:
        yield client, providers
        for channel in client._failover.channels:
            assert (channel.limiter.in_use, channel.limiter.waiting) == (0, 0)
