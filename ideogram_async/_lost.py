"""What aiohttp raises, in our words: what is known of a request whose reply is lost."""

from __future__ import annotations

from typing import Final

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from ._http import without_password
from ._links import PrivateAddressError
from .errors import ConnectionFailedError, RequestTimeoutError, TransportError


NEVER_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ServerFingerprintMismatch,
)
NO_ADDRESS: Final = (
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    UnicodeError,
)
LOST: Final = (
    aiohttp.ClientError,
    HttpProcessingError,
    ConnectionError,
    TimeoutError,
    UnicodeError,
)


def translated(error: BaseException, seconds: float) -> TransportError:
    """Return our error; aiohttp's own stays behind, because its repr holds the key."""
    if isinstance(error, PrivateAddressError):
        return TransportError(str(error), delivery="not_sent")
    if isinstance(error, NO_ADDRESS):
        return TransportError(f"no such address: {_said(error)}", delivery="not_sent")
    if isinstance(error, NEVER_SENT):
        return ConnectionFailedError(f"no connection, nothing was sent: {_said(error)}")
    if isinstance(error, TimeoutError):
        return RequestTimeoutError(f"no answer within {seconds:.6g} s")
    return TransportError(f"the connection was lost: {_said(error)}")


def _said(error: BaseException) -> str:
    if type(error) is aiohttp.ClientResponseError:  # it quotes what came
        return "what came is not HTTP"
    if isinstance(error, aiohttp.ServerDisconnectedError):  # so does this
        return "the server disconnected"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answers {error.status}"
    return without_password(str(error)) or type(error).__name__
