"""The gate against nginx, whose `limit_conn` refuses with 429."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ideogram_async import IdeogramClient
from ideogram_async.sandbox import Sandbox

from .nginx import NGINX, nginx


pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not installed")

ITEMS = 200


def refusals(folder: Path) -> int:
    """Return how many requests nginx has refused, by its own log."""
    lines = (folder / "access.log").read_text().splitlines()
    statuses = Counter(line.split('" ')[1][:3] for line in lines)
    assert statuses["200"] == ITEMS
    assert statuses.total() == ITEMS + statuses["429"]
    return statuses["429"]


@pytest.mark.slow
@pytest.mark.parametrize("places", [3, 25])
async def test_a_limit_on_connections(tmp_path: Path, places: int) -> None:
    """Of a batch all come back, each paid once, and nginx's limit is learnt."""
    limit = f"limit_conn keys {places};"
    async with (
        Sandbox(limit=1000, latency=0.02, spread=0.2) as sandbox,
        nginx(tmp_path, sandbox.url, limit) as url,
        IdeogramClient("a key", base_url=url) as client,
    ):
        prompts = [f"cat {number}" for number in range(ITEMS)]
        batch = await client.generate_many(prompts, num_images=1)
        learnt, in_use = client.limiter.limit, client.limiter.in_use
        refused = client.stats().refusals

    batch.raise_for_failures()
    assert [success.request.prompt for success in batch.successes] == prompts
    assert sandbox.ledger.times_billed == Counter(prompts)
    assert sandbox.ledger.most_in_progress <= places
    assert places - 1 <= learnt <= places + 1
    assert in_use == 0
    assert refused == refusals(tmp_path)
    assert sum(each.attempts for each in batch.successes) == ITEMS + refused
