"""What the ASGI frameworks share: the end of a request whose browser has left."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio


class Receives(Protocol):
    """A request of an ASGI framework."""

    @property
    def receive(self) -> Any:
        """What gives the next message of the connection."""
        ...


@asynccontextmanager
async def until_disconnect(request: Receives) -> AsyncGenerator[None, None]:
    """End the block as soon as the browser leaves.

    ```python
    async with until_disconnect(request):
        return await client.generate(prompt)
    ```

    Frameworks let a function go on whose browser has left. Ended so, a request that
    waits gives its turn away at once; one that was sent is not sent again, and may be
    billed. What must not be lost belongs into `start_many`.

    Args:
        request: The request; its body has been read.
    """
    async with anyio.create_task_group() as group:

        async def listen() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        group.start_soon(listen)
        yield
        group.cancel_scope.cancel()
