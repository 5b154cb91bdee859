"""A request class as a method: its signature is borrowed, not written again."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import cached_property
from types import MethodType
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from .requests import Request


P = ParamSpec("P")
T = TypeVar("T")


class Sends(Protocol):
    """What a verb needs of a client."""

    async def send(self, request: Request[T]) -> T:
        """Send *request* and return its answer."""
        ...


class Verb(Generic[P, T]):
    """`client.generate("a cat")` for `client.send(GenerateV3("a cat"))`.

    Args:
        find: Returns the request class; it is asked when the verb is first used.
    """

    def __init__(self, find: Callable[[], Callable[P, Request[T]]]) -> None:
        self._find = find

    @cached_property
    def request_class(self) -> type[Request[T]]:
        """The request class."""
        return cast("type[Request[T]]", self._find())

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        """The docstring of the class."""
        return self.request_class.__doc__

    @overload
    def __get__(self, client: None, owner: type[Any]) -> Verb[P, T]: ...
    @overload
    def __get__(
        self, client: Sends, owner: type[Any]
    ) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Sends | None, owner: type[Any]) -> object:
        """Return the method that makes the request and sends it."""
        return self if client is None else MethodType(self, client)

    def __call__(
        self, client: Sends, /, *args: P.args, **fields: P.kwargs
    ) -> Coroutine[Any, Any, T]:
        """Make the request and send it by *client*."""
        return client.send(self.request_class(*args, **fields))

    @cached_property
    def __signature__(self) -> inspect.Signature:
        """That of the class, behind the client: `help()` and editors show it."""
        made = inspect.signature(self.request_class)
        client = inspect.Parameter("client", inspect.Parameter.POSITIONAL_ONLY)
        return made.replace(parameters=[client, *made.parameters.values()])
