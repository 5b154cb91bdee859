"""What a provider is: a pure conversation between requests and HTTP.

A provider never sends anything. `exchange(request)` is a generator that yields the HTTP
requests to send, is sent the responses, and returns the answer; `check` raises our
typed error for a response that is no success.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, ClassVar, TypeVar, cast

import attrs

from .. import _codec
from .._http import HttpRequest, HttpResponse
from ..errors import DecodeError
from ..requests import GenerateV3, Request
from ._errors import status_error, without_secret


T = TypeVar("T")

Exchange = Generator[HttpRequest, HttpResponse, T]
"""Yields what to send, is sent the reply, returns the answer."""


class Provider:
    """The official service; a gateway derives from this and says where it differs.

    Attributes:
        name: What users call it.
        default_base_url: Address of the service, without a trailing slash.
        key_variable: Environment variable that holds the key.
        key_header: Header field that carries the key.
        key_scheme: What stands before the key in that field, such as `"Bearer "`.
        default_request: Request class that a plain prompt becomes.
    """

    name: ClassVar[str] = "ideogram"
    default_base_url: ClassVar[str] = "https://api.ideogram.ai"
    key_variable: ClassVar[str] = "IDEOGRAM_API_KEY"
    key_header: ClassVar[str] = "Api-Key"
    key_scheme: ClassVar[str] = ""
    default_request: ClassVar[type[Request[Any]]] = GenerateV3

    def __init__(self, api_key: str, base_url: str | None = None) -> None:
        self._api_key = api_key
        self.base_url: str = (base_url or self.default_base_url).rstrip("/")
        self._key_field = {self.key_header: self.key_scheme + api_key}

    def __repr__(self) -> str:
        """Return the address, and never the key."""
        return f"<{type(self).__name__} {self.name!r} at {self.base_url}>"

    def exchange(self, request: Request[T]) -> Exchange[T]:
        """Converse about *request* and return its answer."""
        response = yield self.authorised(_codec.encode(request, self.base_url))
        body = without_secret(response.body, self._api_key)
        payload = _codec.parse_json(body)
        self.check_payload(payload, response)
        answer = _codec.decode(payload, request.returns, body)
        return cast("T", answer)

    def authorised(self, step: HttpRequest) -> HttpRequest:
        """Return *step* with the key in its header."""
        return attrs.evolve(step, headers={**step.headers, **self._key_field})

    def check_payload(self, payload: Any, response: HttpResponse) -> None:
        """Accept a success that is not an error in disguise.

        Raises:
            StatusError: The body is an error with a status of its own.
        """
        if not isinstance(payload, dict) or "error" not in payload:
            return
        status = cast("dict[str, Any]", payload).get("status_code")
        if isinstance(status, int) and status >= 300:  # noqa: PLR2004
            raise status_error(attrs.evolve(response, status=status), self._api_key)

    def check(self, response: HttpResponse) -> None:
        """Accept a whole success.

        Raises:
            StatusError: The service said no.
            DecodeError: It said yes, but the rest of the answer was lost.
        """
        if not 200 <= response.status < 300:  # noqa: PLR2004  # successes of HTTP
            raise status_error(response, self._api_key)
        if not response.complete:
            raise DecodeError(
                f"the connection ended {len(response.body)} bytes into the answer"
                " (the request ran and is likely billed)",
                body=without_secret(response.body, self._api_key),
                complete=False,
            )
