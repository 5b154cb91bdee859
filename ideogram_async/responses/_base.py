"""What all answers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from .._value import Value


def _nothing() -> Mapping[str, Any]:
    return {}


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Answer(Value):
    """Base of all answers, and of what is in them.

    Attributes:
        extra: What else the service said, by its own field names.
    """

    extra: Mapping[str, Any] = attrs.field(factory=_nothing, hash=False)
