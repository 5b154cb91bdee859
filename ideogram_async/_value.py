"""What our values share: they are compared by their fields, and shown with them.

attrs would write these methods anew for every class, which takes more than half of the
time that it takes to make one; so they stand here, and a value is declared by
`@attrs.frozen(eq=False, repr=False)`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, cast

import attrs


class Value:
    """Base of frozen attrs classes: equality, hash and repr by the fields."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Whether *other* is of the same class, with equal fields."""
        if other.__class__ is not self.__class__:
            return NotImplemented
        values = _compared(cast("Any", type(self)))
        return bool(values(self) == values(other))

    def __hash__(self) -> int:
        """Return a hash of the class and of the fields that can have one."""
        return hash(_hashed(cast("Any", type(self)))(self))

    def __repr__(self) -> str:
        """Return the fields, as a call would give them."""
        names = [
            each.name for each in attrs.fields(cast("Any", type(self))) if each.repr
        ]
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__name__}({fields})"


@cache
def _compared(cls: Any) -> Callable[[Any], Any]:
    names = (each.name for each in attrs.fields(cls) if each.eq)
    return attrgetter("__class__", *names)


@cache
def _hashed(cls: Any) -> Callable[[Any], Any]:
    fields = (each for each in attrs.fields(cls) if each.hash in {None, True})
    return attrgetter("__class__", *(each.name for each in fields if each.eq))
