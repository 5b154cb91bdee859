"""Which field a column of a prompt file means, and what its cells mean.

A column has the name of its field, or the one it has in the batch sheet of Ideogram's
web page: `seed_number` is `seed`, `rendering` is `rendering_speed`, `style` is
`style_type`. Values may be written as there: `Turbo`, `16:9`. A column that left its
field empty takes what the API takes, which for `num_images` is 1 and not 4 as there.

Source: https://docs.ideogram.ai/using-ideogram/features-and-tools/batch-generation
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Literal, get_args, get_origin

import attrs

from ._plain import bare, field_types
from .requests import Request


SHEET: Final = {
    "seed_number": ("seed",),
    "rendering": ("rendering_speed",),
    "style": ("style_type",),
    "magic_prompt": ("magic_prompt_option",),
    "model": (),
    "visibility": (),
}
"""Columns of the web page's sheet that the API names otherwise, or lacks."""

NEWER: Final = {"prompt": "text_prompt"}
"""Fields that Ideogram 4.0 names otherwise."""

Read = Callable[[Any], Any]


@attrs.frozen
class Column:
    """What a column means.

    Attributes:
        field: The field it fills; None if there is no such field in the API.
        read: Makes the field's value of a cell; None if the cell is empty.

    Raises:
        ValueError: From `read`: the cell asks for what the API can't do.
    """

    field: str | None
    read: Read


@lru_cache(maxsize=1000)  # a row of JSON may name anything
def column(kind: Any, title: str) -> Column:
    """Return what the column *title* means for the request class *kind*."""
    hints = field_types(kind)
    name = title.strip()
    plain = name.lower().replace(" ", "_")
    for known in (name, plain, *SHEET.get(plain, ()), NEWER.get(plain, "")):
        if known in hints:
            return Column(known, _reading(bare(hints[known])))
    if plain == "model":
        return Column(None, _same_model(kind))
    return Column(None if plain in SHEET else name, _present)


def _reading(hint: Any) -> Read:
    """Return what turns a cell into a value of the type *hint*, or leaves it."""
    if get_origin(hint) is tuple:
        return _members
    if get_origin(hint) is Literal:
        values = {str(value).casefold(): value for value in get_args(hint)}
        return lambda cell: _one_of(values, _present(cell))
    return _whole if hint is int else _present


def _present(cell: Any) -> Any:
    """Return the cell without blanks around it; None if nothing is in it."""
    if isinstance(cell, str):
        return cell.strip() or None
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _members(cell: Any) -> Any:
    """Return the members of a list; a text has semicolons between them."""
    given = _present(cell)
    return given.split(";") if isinstance(given, str) else given


def _one_of(values: dict[str, Any], given: Any) -> Any:
    """Return the value that is meant: in any case, and 16:9 for 16x9."""
    if not isinstance(given, str):
        return given
    said = given.casefold()
    return values.get(said, values.get(said.replace(":", "x"), given))


def _whole(cell: Any) -> Any:
    """Return a whole number also where a table program made 7.0 of it."""
    given = _present(cell)
    if isinstance(given, float) and given.is_integer():
        return int(given)
    if isinstance(given, str):
        return re.sub(r"\.0+$", "", given)
    return given


def _same_model(kind: type[Request[Any]]) -> Read:
    """Return what refuses a cell that asks for another model than *kind* is of."""
    found = re.search(r"ideogram-v(\d)", kind.endpoint.path)
    version = found[1] if found else "none"

    def read(cell: Any) -> None:
        asked = _present(cell)
        if asked is None or str(asked).partition(".")[0] == version:
            return
        raise ValueError(
            f"model {asked} is not what {kind.__name__} uses: leave it out"
        )

    return read
