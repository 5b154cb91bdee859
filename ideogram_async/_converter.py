"""How values are made of JSON values, and back: the only place that knows cattrs.

Answers are taken as they come: a field that is not known is kept in `extra`, and what
is wrong is told with the place where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, get_args, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_unstructure_fn, override

from ._plain import bare, field_names, field_types, is_model
from ._rules import is_optional
from .uploads import Upload


Structure = Callable[[Any, Any], Any]
"""Makes a value of JSON."""


class Misfit(Exception):  # noqa: N818  # what is wrong, told on by `decode`
    """What is wrong with a value, and where it stands in the answer."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(what)
        self.where = where


def _within(place: str, error: Exception) -> Misfit:
    """Return *error* as seen from the value that has *place* in it."""
    return Misfit(str(error), place + getattr(error, "where", ""))


def _structure_datetime(value: Any, _: object) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _exactly(kind: type[Any], name: str) -> Structure:
    """Return what takes a value of that kind as it is, and no other."""

    def structure(value: Any, _: object) -> Any:
        if type(value) is not kind:
            raise TypeError(f"not {name}: {value!r:.80}")
        return value

    return structure


def _structure_list(hint: Any) -> Structure:
    (inner_type, _) = get_args(hint)
    inner = CONVERTER.get_structure_hook(inner_type)

    def structure(value: Any, _: object) -> tuple[Any, ...]:
        members: list[Any] = value
        if not isinstance(value, list):
            raise TypeError(f"not a list: {value!r:.80}")
        made: list[Any] = []
        try:
            for member in members:
                made.append(inner(member, inner_type))  # noqa: PERF401  # it counts
        except Exception as error:  # noqa: BLE001  # whatever a hook raised
            raise _within(f"[{len(made)}]", error) from None
        return tuple(made)

    return structure


def _structure_optional(hint: Any) -> Structure:
    inner_type = bare(hint)
    inner: Structure = CONVERTER.get_structure_hook(inner_type)
    return lambda value, _: None if value is None else inner(value, inner_type)


def _structure_model(cls: Any) -> Structure:
    hints = {n: field_types(cls)[n] for n in field_names(cls) if n != "extra"}
    hooks = {n: CONVERTER.get_structure_hook(hint) for n, hint in hints.items()}
    kind_of = {name: bare(hint) for name, hint in hints.items()}.get
    names = {name: name for name in hints}
    required = frozenset(
        each.name for each in attrs.fields(cls) if each.default is attrs.NOTHING
    )

    def structure(value: Any, _: object) -> Any:
        members: Mapping[str, Any] = value
        if not isinstance(value, dict):
            raise TypeError(f"not an object: {value!r:.80}")
        given: dict[str, Any] = {}  # by our own names: Python passes those on faster
        extra: dict[str, Any] = {}
        name = ""
        try:
            for name, member in members.items():
                if type(member) is kind_of(name):  # as it is
                    given[names[name]] = member
                elif member is None and name not in required:
                    continue
                elif name in hooks:
                    given[names[name]] = hooks[name](member, hints[name])
                else:
                    extra[name] = member
        except Exception as error:  # noqa: BLE001  # whatever a hook raised
            raise _within(f".{name}", error) from None
        if required and (missing := required.difference(given)):
            raise Misfit("required field missing", f".{min(missing)}")
        return cls(**given, extra=extra) if extra else cls(**given)

    return structure


def _unstructure_model(cls: type[Any]) -> Callable[[Any], dict[str, Any]]:
    inner = make_dict_unstructure_fn(cls, CONVERTER, extra=override(omit=True))

    def unstructure(value: Any) -> dict[str, Any]:
        given = {name: each for name, each in inner(value).items() if each is not None}
        return given | dict(getattr(value, "extra", ()))

    return unstructure


def _is_list(hint: Any) -> bool:
    return get_origin(hint) is tuple


CONVERTER: Final = cattrs.Converter()
CONVERTER.register_structure_hook(datetime, _structure_datetime)
CONVERTER.register_structure_hook(bool, _exactly(bool, "a boolean"))
CONVERTER.register_structure_hook(int, _exactly(int, "a whole number"))
CONVERTER.register_structure_hook(str, _exactly(str, "a string"))
CONVERTER.register_unstructure_hook(datetime, datetime.isoformat)
CONVERTER.register_unstructure_hook(Upload, str)
CONVERTER.register_structure_hook_factory(is_optional, _structure_optional)
CONVERTER.register_structure_hook_factory(is_model, _structure_model)
CONVERTER.register_structure_hook_factory(_is_list, _structure_list)
CONVERTER.register_unstructure_hook_factory(is_model, _unstructure_model)
