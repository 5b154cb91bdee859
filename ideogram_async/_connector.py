"""Connections that are kept for the next request, and looked at before it leaves.

A service may close a connection just after an answer, without having said that it will.
The event loop may not have heard of it when the next request is sent; that one is then
lost, and if it is paid, unknown. So the operating system is asked, which knows.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Final
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.connector import Connection


POLL: Final[Any] = getattr(select, "poll", None)
"""Windows has none, and a `select` for any number of files."""


class Connector(aiohttp.TCPConnector):
    """Keeps no connection on which something has come since its last answer.

    That is its end, or an answer that nobody has asked for.
    """

    @cached_property
    def _looks(self) -> WeakKeyDictionary[Any, Callable[[], object]]:
        return WeakKeyDictionary()

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
            look = self._looks.get(protocol)
            if look is None:  # it is new
                sock = protocol.transport.get_extra_info("socket")
                self._looks[protocol] = look_at(sock.fileno())
                return connection
            if not (protocol.should_close or look()):
                return connection
            connection.close()


def look_at(file: int) -> Callable[[], object]:
    """Return what tells whether something has come on a socket, or its end."""
    if POLL is None:
        return lambda: select.select([file], [], [], 0)[0]
    poll = POLL()
    poll.register(file, select.POLLIN)
    found: Callable[[], object] = partial(poll.poll, 0)
    return found
