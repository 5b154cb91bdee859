"""Fixtures for pytest: a sandbox of your own, and a client of it.

```python
pytest_plugins = ["ideogram_async.testing"]


async def test_posters(ideogram_sandbox):
    async with IdeogramClient("any", base_url=ideogram_sandbox.url) as client:
        await make_posters(client)

    assert ideogram_sandbox.ledger.images == 3
```

For a gateway, make a fixture of your own; the client takes the same name:

```python
@pytest.fixture
def pixazo_sandbox():
    with Sandbox(provider="pixazo", latency=0.01).running() as sandbox:
        yield sandbox


async def test_posters_of_pixazo(pixazo_sandbox):
    url = pixazo_sandbox.url
    async with IdeogramClient("any", provider="pixazo", base_url=url) as client:
        await make_posters(client)
```

It needs pytest, and Pillow: `pip install 'ideogram-async[sandbox]'`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .sandbox import Sandbox


__all__ = ["ideogram_sandbox"]


@pytest.fixture
def ideogram_sandbox() -> Iterator[Sandbox]:
    """Run a fast sandbox in a thread of its own, for tests async or not.

    Its rules may be changed in a test: `ideogram_sandbox.service.limit = 2`.
    """
    with Sandbox(latency=0.01).running() as sandbox:
        yield sandbox
