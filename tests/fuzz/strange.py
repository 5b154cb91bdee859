"""Strange values in known places of JSON, which random bytes seldom reach."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any


STRANGE = (
    *(None, True, False, 0, -1, 7.0, 10**4000, -(2**63), 1e308, float("nan")),
    *(float("-inf"), "", "0", "a cat", "\0", "\ud800", "\u202e", "x" * 5000),
    *("2025-01-23T04:56:07Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    *("https://x/?exp=1", "https://x/?exp=9" + "9" * 30, "http://[", "a-secret-key"),
    *([], {}, [[]], [{}], [None], {"error": {"message": None}}, {"data": [{}]}),
    *(["a"], {"url": "https://x"}, [{"url": "https://x?exp=-1", "seed": 2**64}]),
)
"""What stands in the place of what is documented."""


def swapped(answer: Any, choices: bytes) -> bytes:
    """Return *answer* with strange values in it: pairs of a place and a value."""
    for at, value in zip(choices[::2], choices[1::2], strict=False):
        places = list(_places(answer))
        holder, key = places[at % len(places)]
        holder[key] = copy.deepcopy(STRANGE[value % len(STRANGE)])
        answer = answer if isinstance(answer, dict | list) else {}
    return json.dumps(answer).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every member in *value*, and one that is not there yet."""
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in members:
        yield value, key
        if isinstance(member, dict | list):
            yield from _places(member)
    if isinstance(value, dict):
        yield value, "new"
