"""What all answers share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

import attrs

from .._value import Value


def _refuse(*_: object, **__: object) -> NoReturn:
    raise TypeError("an answer can't be changed: make a dict of its extra")


class _Nothing(dict[str, Any]):
    """The `extra` of nearly every answer: one for all, so it can't be changed."""

    __setitem__ = __ior__ = setdefault = update = cast("Any", _refuse)

    def __reduce__(self) -> str:
        """Stay the same one in a copy or a pickle."""
        return "NOTHING"


NOTHING: Final[Mapping[str, Any]] = _Nothing()


def shared(text: str | None) -> str | None:
    """Return one object for equal texts: of some, a long batch has only a few."""
    return text


if not TYPE_CHECKING:  # mypy takes plain functions only for a converter
    shared = lru_cache(maxsize=1024)(shared)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Answer(Value):
    """Base of all answers, and of what is in them.

    Attributes:
        extra: What else the service said, by its own field names.
    """

    extra: Mapping[str, Any] = attrs.field(default=NOTHING, hash=False)
