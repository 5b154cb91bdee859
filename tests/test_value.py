"""What values share: equality, hash and repr."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ideogram_async import DescribeResponse, Description, ListDatasets, ListModels
from ideogram_async._value import Value


@attrs.frozen(eq=False, repr=False)
class Point(Value):
    """A value with fields of every kind."""

    x: float
    y: float = 0.0
    extra: Mapping[str, Any] = attrs.field(factory=dict[str, Any], hash=False)
    note: str = attrs.field(default="", eq=False)
    secret: str = attrs.field(default="", repr=False)


@attrs.frozen(eq=False, repr=False)
class Place(Point):
    """Another class with the same fields."""


def test_values_are_equal_by_their_fields() -> None:
    """Fields that count for equality decide, and the others don't."""
    assert Point(1, note="a") == Point(1, note="b")
    assert Point(1) != Point(2)
    assert Point(1, extra={"a": 1}) != Point(1)


def test_values_of_another_class_are_not_equal() -> None:
    """A class with the same fields, or another thing, is something else."""
    assert Point(1) != Place(1)
    assert Point(1) != (1, 0.0)
    assert ListDatasets() != ListModels()


def test_equal_values_have_one_hash() -> None:
    """Equal values are one in a set; a field that can't be hashed is passed over."""
    first, second = Point(1, extra={"a": []}), Point(1, extra={"a": []})

    assert {first, second} == {first}
    assert hash(Point(1)) != hash(Place(1))
    assert {ListDatasets(), ListDatasets()} == {ListDatasets()}
    assert len({DescribeResponse(descriptions=(Description(text="a"),))}) == 1


def test_repr_shows_the_fields() -> None:
    """The repr is the call, without the fields that are not to be shown."""
    assert repr(Point(1, secret="s")) == "Point(x=1, y=0.0, extra={}, note='')"
