"""Links: fetched without a key, and from public addresses only.

A link comes from elsewhere: an answer, a redirect, a row of prompts. None may make this
machine ask its own network. The address is judged as it is connected to, after the name
is looked up, so that nothing is gained by a name that changes its address.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from contextvars import ContextVar
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import aiohttp
import attrs


if TYPE_CHECKING:
    from .providers import Provider

UNICAST: Final = IPv6Network("2000::/3")
NAT64: Final = IPv6Network("64:ff9b::/96")
LAST_32_BITS: Final = 0xFFFF_FFFF

REFUSED: Final[ContextVar[list[str] | None]] = ContextVar("refused", default=None)
"""Where a link's connection notes addresses that are not public; None elsewhere."""


class PrivateAddressError(aiohttp.ClientError):
    """A link leads to an address that is not public."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"the link leads to {address}, which is not a public address:"
            " allow_private_links=True (--allow-private-links) follows it"
        )


@attrs.frozen(eq=False, repr=False)
class Links:
    """Where links may lead; a middleware of aiohttp, asked for every redirect too.

    Attributes:
        allow_private: Whether to any address.
        hosts: Hosts of the services, to which links may lead wherever they are.
        looks_up: Whether names are looked up beforehand, since somebody else's session
            makes the connections.
    """

    allow_private: bool = True
    hosts: frozenset[str] = frozenset()
    looks_up: bool = False

    @classmethod
    def of(
        cls,
        asked: Iterable[Provider],
        session: aiohttp.ClientSession | None,
        *,
        allow_private: bool,
    ) -> Links:
        """Return where links may lead: anywhere, if all services are private.

        Args:
            asked: The services.
            session: The caller's own; or None.
            allow_private: Whether the caller allows any address.
        """
        hosts = frozenset(urlsplit(each.base_url).hostname or "" for each in asked)
        is_allowed = allow_private or all(map(_is_private_host, hosts))
        return cls(is_allowed, hosts, session is not None)

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send *request* if it goes to a public address.

        Raises:
            PrivateAddressError: It doesn't; nothing was sent.
        """
        host = request.url.host or ""
        if self.allow_private or host in self.hosts:
            return await handler(request)
        if request.proxy or self.looks_up:
            # it is the proxy that looks names up; here an address can be told
            flags = socket.AI_NUMERICHOST if request.proxy else 0
            for address in await _addresses(host, flags):
                if not is_public(address):
                    raise PrivateAddressError(address)
            return await handler(request)
        refused = list[str]()
        token = REFUSED.set(refused)
        try:
            return await handler(request)
        except aiohttp.ClientConnectorError:
            if refused:
                raise PrivateAddressError(refused[0]) from None
            raise
        finally:
            REFUSED.reset(token)


def judged_socket(address: tuple[Any, ...]) -> socket.socket:
    """Make the socket to connect to *address*, as `getaddrinfo` has it.

    Raises:
        OSError: A link leads there, and it is not public.
    """
    family, kind, protocol, _, place = address
    refused = REFUSED.get()
    if refused is not None and not is_public(place[0]):
        refused.append(place[0])
        raise OSError(f"{place[0]} is not public")
    return socket.socket(family, kind, protocol)


def is_public(address: str) -> bool:
    """Whether *address* is a host's on the Internet, also where IPv6 wraps IPv4."""
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        inner = _wrapped(found)
        if inner is None:
            return found in UNICAST and found.is_global
        found = inner
    return found.is_global and not found.is_multicast


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that traffic for *address* ends at, or None."""
    if address in NAT64:
        return IPv4Address(int(address) & LAST_32_BITS)
    return address.ipv4_mapped or address.sixtofour


def _is_private_host(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


async def _addresses(host: str, flags: int) -> list[str]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, flags=flags)
    except (OSError, UnicodeError):  # whoever connects may know better
        return []
    return [str(place[0]) for *_, place in found]
