"""What a collected result costs in memory, counted and not timed."""

from __future__ import annotations

import gc
import json
import tracemalloc

from ideogram_async import Batch, GenerateV3, ImageResponse, Success
from ideogram_async._http import HttpResponse
from ideogram_async.providers import Ideogram


ITEMS = 1000
MOST_BYTES = 1200
"""Of a result by itself; the allocator's share comes on top, below 1,500 in all."""
TRACKED = 5
"""What the garbage collector visits: the outcome, the request, the answer, the tuple of
images, the image; nothing else that an item holds."""
PROVIDER = Ideogram("test-key")
LINK = "https://ideogram.ai/api/images/ephemeral/xtdZiqPwRxqY1Y7NExFmzB.png"


def outcome(number: int) -> Success[ImageResponse]:
    """Return what a batch holds of one item: all its texts are its own."""
    request = GenerateV3(f"a cat that counts to {number}", aspect_ratio="16x9")
    image = {
        "url": f"{LINK}?exp=1743867804&sig={number:064x}",
        "prompt": f"a photo of a cat that counts to {number}",
        "resolution": "1024x1024",
        "is_image_safe": True,
        "seed": 10**9 + number,
        "style_type": "GENERAL",
    }
    answer = {"created": "2025-01-23T04:56:07+00:00", "data": [image]}
    exchange = PROVIDER.exchange(request)
    next(exchange)
    try:
        exchange.send(HttpResponse(200, {}, json.dumps(answer).encode()))
    except StopIteration as ended:
        cost = PROVIDER.cost(request)
        return Success(number, request, ended.value, 1, PROVIDER.name, cost)
    raise AssertionError("the exchange goes on")


def collected(start: int) -> Batch[ImageResponse]:
    """Return a batch of results."""
    return Batch(outcome(number) for number in range(start, start + ITEMS))


def test_collected_result_is_small() -> None:
    """A result of a batch holds about a kilobyte, of which half is its own texts."""
    warm = collected(0)

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        batch = collected(ITEMS)
        gc.collect()
        each = (tracemalloc.get_traced_memory()[0] - before) / ITEMS
    finally:
        tracemalloc.stop()

    assert len(warm.images) == len(batch.images) == ITEMS
    assert 400 < each < MOST_BYTES


def test_garbage_collector_visits_little() -> None:
    """The collector, which holds the event loop, visits few objects per result."""
    warm = collected(0)
    gc.collect()
    before = len(gc.get_objects())
    batch = collected(ITEMS)
    gc.collect()

    tracked = (len(gc.get_objects()) - before) / ITEMS

    assert len(warm) == len(batch)
    assert tracked < TRACKED + 0.1
