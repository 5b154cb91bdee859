"""What a provider is: a pure conversation between requests and HTTP.

A provider never sends anything. `exchange(request)` is a generator that yields the HTTP
requests to send, is sent the responses, and returns the answer; `check` raises our
typed error for a response that is no success.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from importlib import import_module
from typing import Any, ClassVar, Final, NoReturn, TypeVar, cast

import attrs

from .. import _codec, requests
from .._http import HttpRequest, HttpResponse, Secret, without_password
from ..costs import Cost
from ..errors import ConfigurationError, DecodeError, UnsupportedRequestError
from ..requests import Request
from ._errors import status_error, without_secret
from ._prices import PriceList
from ._routes import Route


T = TypeVar("T")

Exchange = Generator[HttpRequest, HttpResponse, T]
"""Yields what to send, is sent the reply, returns the answer."""


class _AtIdeogram:
    """What a plain prompt becomes at Ideogram: loaded when somebody asks for it."""

    def __get__(self, provider: object, kind: type[Any]) -> type[Request[Any]]:
        return requests.GenerateV3


class Provider:
    """A service that takes requests; each derives from this and says where it differs.

    Args:
        api_key: The key.
        base_url: Its address, if not the usual one.

    Raises:
        ConfigurationError: The key can't be one.

    Attributes:
        name: What users call it.
        default_base_url: Address of the service, without a trailing slash.
        key_variable: Environment variable that holds the key.
        key_header: Header field that carries the key.
        key_scheme: What stands before the key in that field, such as `"Bearer "`.
        default_request: Request class that a plain prompt becomes; `GenerateV3` unless
            it says otherwise.
        places: How many images it lets be in progress, by its documentation; None if
            that does not say.
        routes: What it takes, by request class.
        prefixes: What may stand between its address and the path of an operation.
        prices: What it costs.
    """

    name: ClassVar[str]
    default_base_url: ClassVar[str]
    key_variable: ClassVar[str]
    key_header: ClassVar[str] = "Authorization"
    key_scheme: ClassVar[str] = "Bearer "
    default_request: ClassVar[type[Request[Any]]] = cast("Any", _AtIdeogram())
    places: ClassVar[int | None] = None
    routes: ClassVar[Mapping[type[Request[Any]], Route]] = {}
    prefixes: ClassVar[tuple[str, ...]] = ("",)
    prices: ClassVar[PriceList] = PriceList()

    def __init__(self, api_key: str, base_url: str | None = None) -> None:
        check_class(type(self))
        api_key = Secret(api_key)
        self.base_url: str = (base_url or self.default_base_url).rstrip("/")
        if not (api_key and api_key.isascii() and api_key.isprintable()):
            raise ConfigurationError(
                f"the API key for {self.name} is empty, or has characters that no key"
                " has: copy it again"
            )
        self._api_key = api_key
        self._key_field = {self.key_header: Secret(self.key_scheme + api_key)}
        self._headers: dict[type[Request[Any]], dict[str, str]] = {}

    def __repr__(self) -> str:
        """Return the address, and never the key."""
        address = without_password(self.base_url)
        return f"<{type(self).__name__} {self.name!r} at {address}>"

    def __getstate__(self) -> NoReturn:
        """Refuse to be pickled, or copied."""
        raise TypeError(
            f"{type(self).__name__} holds a key, which is never written down: make it"
            " where it is needed, from the environment"
        )

    @classmethod
    def cost(cls, request: Request[Any]) -> Cost:
        """Return what *request* costs here."""
        return cls.prices.cost(request)

    @classmethod
    def complaint(cls, request: Request[Any]) -> str | None:
        """Return what in *request* this provider doesn't take, or None."""
        try:
            route = cls.routes[type(request)]
        except KeyError:
            return f"{type(request).__name__} has no route"
        return route.complaint(cls.prepared(request))

    @classmethod
    def prepared(cls, request: Request[T]) -> Request[T]:
        """Return *request* with what this provider wants said that others assume."""
        return request

    @classmethod
    def prefix(cls, request: Request[Any]) -> str:  # noqa: ARG003  # of some gateways
        """Return which of `prefixes` is for *request*."""
        return cls.prefixes[0]

    def exchange(self, request: Request[T]) -> Exchange[T]:
        """Converse about *request* and return its answer.

        Raises:
            UnsupportedRequestError: There is no route for it; nothing is sent.
        """
        self.check_request(request)
        response = yield self.step(self.prepared(request))
        body = without_secret(response.body, self._api_key)
        payload = _codec.parse_json(body)
        self.check_payload(payload, response)
        try:
            official = self.incoming(payload, request)
        except Exception as error:
            raise DecodeError(
                f"the answer is not as {self.name} documents it: {error!r:.200}"
                " (the request ran and is likely billed; the body is kept)",
                body=body,
            ) from error
        answer: T = _codec.decode(official, request.returns, body)
        return answer

    @classmethod
    def refusal(cls, request: Request[Any]) -> str | None:
        """Return why this provider doesn't take *request*, and who does; or None."""
        wrong = cls.complaint(request)
        if wrong is None:
            return None
        others = [
            other.name
            for other in PROVIDERS.values()
            if other.name != cls.name and other.complaint(request) is None
        ]
        remedy = f"; taken by {', '.join(others)}" if others else ""
        return f"{cls.name}: {wrong}{remedy}"

    @classmethod
    def check_request(cls, request: Request[Any]) -> None:
        """Accept a request that this provider takes as it is.

        Raises:
            UnsupportedRequestError: It has no route for the class or a field; names
                those that have.
        """
        if cls.complaint(request) is not None:
            wrong = cls.refusal(request)
            raise UnsupportedRequestError(
                f"{wrong} (nothing was sent)", provider=cls.name, request=request
            )

    @classmethod
    def prompted(cls, fields: Mapping[str, Any]) -> Callable[[str], Request[Any]]:
        """Return what makes a request of a plain prompt, with *fields*.

        Raises:
            UnsupportedRequestError: One of *fields* is that of another provider's
                default request.
            ValueError: One of *fields* is invalid.
        """
        kind = cast("Callable[..., Request[Any]]", cls.default_request)
        for name in fields.keys() - _field_names(kind):
            takers = [
                other.name
                for other in PROVIDERS.values()
                if name in _field_names(other.default_request)
            ]
            if takers:
                raise UnsupportedRequestError(
                    f"{cls.name}: {name} is no field of {cls.default_request.__name__},"
                    f" which a prompt becomes; it is one with {', '.join(takers)}",
                    provider=cls.name,
                )
        if fields:
            kind("a prompt", **fields)
        return lambda prompt: kind(prompt, **fields)

    def step(self, request: Request[Any]) -> HttpRequest:
        """Return the HTTP request that carries *request*, with the key."""
        kind = type(request)
        if kind not in self._headers:
            self._headers[kind] = {**self.routes[kind].headers, **self._key_field}
        url = self.base_url + self.prefix(request)
        return self.outgoing(_codec.encode(request, url, self._headers[kind]))

    def outgoing(self, step: HttpRequest) -> HttpRequest:
        """Return *step* in this provider's own form."""
        return step

    def incoming(self, payload: Any, request: Request[Any]) -> Any:  # noqa: ARG002  # of some gateways
        """Return the answer to *request* in the official form, nothing left out."""
        return payload

    def check_payload(self, payload: Any, response: HttpResponse) -> None:
        """Accept a success that is not an error in disguise.

        Raises:
            StatusError: The body is an error with a status of its own.
        """
        if not isinstance(payload, dict) or "error" not in payload:
            return
        status = cast("dict[str, Any]", payload).get("status_code")
        if isinstance(status, int) and status >= 300:  # noqa: PLR2004
            raise status_error(response._replace(status=status), self._api_key)

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


def _field_names(kind: Any) -> Collection[str]:
    return attrs.fields_dict(kind)


def check_class(cls: type[Provider]) -> None:
    """Accept a class that says all that it must.

    Raises:
        TypeError: An attribute is missing.
    """
    for name in ("name", "default_base_url", "key_variable"):
        if not hasattr(cls, name):
            raise TypeError(f"{cls.__name__} must have {name!r}: see Provider")


P = TypeVar("P", bound=type[Provider])

_MODULES: Final = {
    "aihubmix": "aihubmix",
    "ideogram": "ideogram",
    "kkiai": "kkiai",
    "openai-hk": "openai_hk",
    "pixazo": "pixazo",
}
"""Our own providers; each is loaded when it is asked for."""

_registered: dict[str, type[Provider]] = {}


class _Registry(Mapping[str, type[Provider]]):
    def __getitem__(self, name: str) -> type[Provider]:
        if name not in _registered and name in _MODULES:
            import_module(f"{__package__}.{_MODULES[name]}")
        return _registered[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*_MODULES, *_registered)))

    def __len__(self) -> int:
        return len({*_MODULES, *_registered})


PROVIDERS: Final[Mapping[str, type[Provider]]] = _Registry()
"""Every provider class by the name that `IdeogramClient(provider=...)` takes."""


def registered(cls: P) -> P:
    """Enter a provider class in `PROVIDERS`, under its name."""
    check_class(cls)
    _registered[cls.name] = cls
    return cls
