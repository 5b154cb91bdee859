"""Tables by request class that are written with the names of the classes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, TypeVar

from ..requests import REQUESTS, Request


V = TypeVar("V")


class ByName(Mapping[type[Request[Any]], V]):
    """Values by request class; a class is loaded when somebody asks for all of them.

    Args:
        values: The values by the name of the class.
        default: The value of all other request classes; None if they have none.
    """

    def __init__(self, values: Mapping[str, V], default: V | None = None) -> None:
        self._values = values
        self._default = default
        self._found: dict[type[Request[Any]], V] = {}

    def __getitem__(self, kind: type[Request[Any]]) -> V:
        """Return the value of a request class; it is asked for with every request."""
        try:
            return self._found[kind]
        except KeyError:
            name = kind.__name__
            value = self._values.get(name, self._default)
            if value is None or REQUESTS.get(name) is not kind:
                raise
        self._found[kind] = value
        return value

    def __iter__(self) -> Iterator[type[Request[Any]]]:
        """Return the request classes."""
        return (REQUESTS[name] for name in self._names)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._names)

    @property
    def _names(self) -> Collection[str]:
        return self._values if self._default is None else REQUESTS
