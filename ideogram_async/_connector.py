"""Connections that are kept for the next request, and looked at before it leaves.

A service may close a connection just after an answer, without having said that it will.
The event loop may not have heard of it when the next request is sent; that one is then
lost, and if it is paid, unknown. So the operating system is asked, which knows.
"""

from __future__ import annotations

import select
from functools import cached_property
from typing import Any, Final
from weakref import WeakSet

import aiohttp
from aiohttp.connector import Connection


POLL: Final[Any] = getattr(select, "poll", None)
"""Windows has none, and a `select` for any number of files."""


class Connector(aiohttp.TCPConnector):
    """Keeps no connection on which something has come since its last answer.

    That is its end, or an answer that nobody has asked for.
    """

    @cached_property
    def _used(self) -> WeakSet[Any]:
        return WeakSet()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Any],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  # aiohttp's own
    ) -> Connection:
        """Return a new connection, or one that is as its last answer left it."""
        while True:
            connection = await super().connect(req, traces, timeout)
            protocol: Any = connection.protocol
            if protocol not in self._used:
                self._used.add(protocol)
                return connection
            sock = protocol.transport.get_extra_info("socket")
            if not (protocol.should_close or is_readable(sock.fileno())):
                return connection
            connection.close()


def is_readable(file: int) -> bool:
    """Whether something has come on a socket, or its end."""
    if POLL is None:
        return bool(select.select([file], [], [], 0)[0])
    poll = POLL()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(0))
