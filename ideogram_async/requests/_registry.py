"""All request classes by name; asking for one that isn't loaded yet loads them all."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final


if TYPE_CHECKING:
    from ._base import Request


registered: Final[dict[str, type[Request[Any]]]] = {}
"""The classes that are loaded."""


class Registry(Mapping[str, "type[Request[Any]]"]):
    """The request classes of this package, and those that a program has declared."""

    def __getitem__(self, name: str) -> type[Request[Any]]:
        """Return the request class *name*."""
        return registered.get(name) or self._all()[name]

    def __iter__(self) -> Iterator[str]:
        """Return the names, in order."""
        return iter(sorted(self._all()))

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._all())

    @staticmethod
    def _all() -> Mapping[str, type[Request[Any]]]:
        package = sys.modules[__name__.rpartition(".")[0]]
        for name in package.__all__:
            getattr(package, name)
        return registered
