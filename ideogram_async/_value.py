"""What our values share: they are compared by their fields, and shown with them.

attrs would write these methods anew for every class, which takes more than half of the
time that it takes to make one; so they stand here, and a value is declared by
`@attrs.frozen(eq=False, repr=False)`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import attrs


class Value:
    """Base of frozen attrs classes: equality, hash and repr by the fields."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Whether *other* is of the same class, with equal fields."""
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(
            (mine := getattr(self, each)) is (its := getattr(other, each))
            or mine == its
            for each in _compared(type(self))
        )

    def __hash__(self) -> int:
        """Return a hash of the class and of the fields that can have one."""
        fields = _hashed(type(self))
        return hash((type(self), *(getattr(self, each) for each in fields)))

    def __repr__(self) -> str:
        """Return the fields, as a call would give them."""
        fields = ", ".join(f"{n}={getattr(self, n)!r}" for n in _shown(type(self)))
        return f"{type(self).__name__}({fields})"


@cache
def _compared(cls: Any) -> tuple[str, ...]:
    return tuple(each.name for each in attrs.fields(cls) if each.eq)


@cache
def _hashed(cls: Any) -> tuple[str, ...]:
    fields = attrs.fields(cls)
    return tuple(
        each.name for each in fields if (each.eq if each.hash is None else each.hash)
    )


@cache
def _shown(cls: Any) -> tuple[str, ...]:
    return tuple(each.name for each in attrs.fields(cls) if each.repr)
