"""What a request is: a frozen value, checked when it is made, that knows its endpoint.

A request class is declared by one decorator, `@post(path)` or `@get(path)`; fields that
several classes share stand in groups declared by `@fields`. The decorator makes the
class an attrs class, derives the check of every field from its type, reads the answer's
class off `Request[Answer]`, and enters the class in `REQUESTS`.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from functools import wraps
from typing import (
    Any,
    ClassVar,
    Final,
    Generic,
    NamedTuple,
    TypeVar,
    cast,
    dataclass_transform,
)

import attrs
from attrs import field

from .._plain import bare, field_types
from .._rules import Check, checker, is_optional, without_none
from .._value import Value
from ._docs import with_inherited_attributes
from ._registry import Registry, registered


T_co = TypeVar("T_co", covariant=True)
C = TypeVar("C", bound=type[Any])


Given = Mapping[str, Any]
"""The fields by name; those that are None are not given."""


@attrs.frozen(eq=False, repr=False)
class Endpoint(Value):
    """Where and in which form a request goes.

    Attributes:
        method: HTTP method.
        path: Path template; fields named in braces go into it.
        multipart: Whether the body is a multipart form; else it is JSON.
        envelope: Name of the JSON object that holds the fields which are no files.
        query: Names of the fields that go into the query, where there is a body too.
        places: Places that one image, or the call, takes in the service's limit.
    """

    method: str
    path: str
    multipart: bool = False
    envelope: str | None = None
    query: tuple[str, ...] = ()
    places: int = 1


class Exclusive(NamedTuple):
    """Two fields that must not be given together."""

    first: str
    second: str

    def complaint(self, given: Given) -> str | None:
        """Return what is wrong with the fields that are *given*, or None."""
        if given.get(self.first) is None or given.get(self.second) is None:
            return None
        return f"{self.first} and {self.second} exclude each other: give one of them"


class SameCount(NamedTuple):
    """A list that, if given, must have as many members as another."""

    field: str
    of: str

    def complaint(self, given: Given) -> str | None:
        """Return what is wrong with the fields that are *given*, or None."""
        if given.get(self.field) is None:
            return None
        found, wanted = len(given[self.field]), len(given.get(self.of) or ())
        if found == wanted:
            return None
        return f"{self.field} must have {wanted} members, as {self.of}, got {found}"


class ExactlyOne(NamedTuple):
    """Two fields of which one must be given."""

    first: str
    second: str

    def complaint(self, given: Given) -> str | None:
        """Return what is wrong with the fields that are *given*, or None."""
        if (given.get(self.first) is None) != (given.get(self.second) is None):
            return None
        return f"give exactly one of {self.first} and {self.second}"


class OnlyForModels(NamedTuple):
    """A field that only some models know; a request without a model may have it."""

    field: str
    models: tuple[str, ...]

    def complaint(self, given: Given) -> str | None:
        """Return what is wrong with the fields that are *given*, or None."""
        model = given.get("model")
        if given.get(self.field) is None or model in {None, *self.models}:
            return None
        return f"{self.field} is only for {', '.join(self.models)}, got model={model}"


Relation = Exclusive | ExactlyOne | OnlyForModels | SameCount
"""What must hold between fields."""


class Fields(Value):
    """Base of what `@fields` declares: shows the fields that are set, and no others."""

    relations: ClassVar[tuple[Relation, ...]] = ()

    _checks: ClassVar[Mapping[str, Check]] = {}
    _required: ClassVar[frozenset[str]] = frozenset()
    _lists: ClassVar[frozenset[str]] = frozenset()
    _related: ClassVar[frozenset[str]] = frozenset()
    _needs_one: ClassVar[bool] = False

    def __attrs_post_init__(self) -> None:
        """Check every field that is given, as most are not, and what must hold."""
        given, checks = vars(self), self._checks
        for name in self._required:
            if given[name] is None:
                raise ValueError(f"{name} {checks[name](None)}")
        for name, value in given.items():
            if value is None:
                continue
            if isinstance(value, list) and name in self._lists:
                value = given[name] = tuple(cast("list[Any]", value))  # noqa: PLW2901  # frozen, too
            if wrong := checks[name](value):
                separator = "" if wrong.startswith("[") else " "
                raise ValueError(f"{name}{separator}{wrong}")
        if self._related.isdisjoint(given) and not self._needs_one:
            return
        for relation in self.relations:
            if wrong := relation.complaint(given):
                raise ValueError(wrong)

    def __repr__(self) -> str:
        """Return the fields that are set, as a call would give them."""
        given = (
            f"{each.name}={value!r}"
            for each in attrs.fields(cast("Any", type(self)))
            if (value := getattr(self, each.name)) is not None
        )
        return f"{type(self).__name__}({', '.join(given)})"


class Request(Fields, Generic[T_co]):
    """One call of the service as a value; `T_co` is the class of its answer.

    Requests are frozen, comparable, picklable, and checked when they are made: a bad
    field is a `ValueError` that names field, limit and value. `attrs.evolve` makes a
    changed copy. A field that is None isn't sent: the service decides.
    """

    endpoint: ClassVar[Endpoint]
    returns: ClassVar[type[Any]]

    @property
    def places(self) -> int:
        """How many places in the service's limit this takes: one per image made."""
        images: int | None = getattr(self, "num_images", None)
        return self.endpoint.places * (images or 1)


REQUESTS: Final[Mapping[str, type[Request[Any]]]] = Registry()
"""Every request class by name."""


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(field,)
)
def fields(cls: C) -> C:
    """Declare a group of fields that request classes share, or a value inside one."""
    return cast("C", _checked(cls))


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(field,)
)
def get(path: str) -> Callable[[C], C]:
    """Declare a request class that is sent by GET, and only asks."""
    return _declaration(Endpoint("GET", path, places=0))


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(field,)
)
def post(
    path: str,
    *,
    multipart: bool = False,
    envelope: str | None = None,
    query: tuple[str, ...] = (),
    places: int = 1,
) -> Callable[[C], C]:
    """Declare a request class that is sent by POST; see `Endpoint` for the options."""
    return _declaration(Endpoint("POST", path, multipart, envelope, query, places))


def _declaration(endpoint: Endpoint) -> Callable[[C], C]:
    def declare(cls: C) -> C:
        declared = cast("type[Request[Any]]", _checked(cls))
        declared.endpoint = endpoint
        declared.returns = _answer_type(declared)
        declared.__doc__ = with_inherited_attributes(declared)
        registered[declared.__name__] = declared
        return cast("C", declared)

    return declare


def _checked(cls: type[Any]) -> type[Any]:
    writes_own = "__init__" in vars(cls)
    made = attrs.frozen(kw_only=True, slots=False, eq=False, repr=False)(cls)
    hints = field_types(cast("Any", made))
    names = [each.name for each in attrs.fields(made)]
    made._checks = {name: checker(without_none(hints[name])) for name in names}  # noqa: SLF001  # our own
    made._required = frozenset(n for n in names if not is_optional(hints[n]))  # noqa: SLF001  # our own
    made._lists = frozenset(  # noqa: SLF001  # our own
        name for name in names if typing.get_origin(bare(hints[name])) is tuple
    )
    relations = (r for base in reversed(made.__mro__) for r in _own_relations(base))
    made.relations = tuple(dict.fromkeys(relations))
    made._related = frozenset(relation[0] for relation in made.relations)  # noqa: SLF001  # our own
    made._needs_one = ExactlyOne in map(type, made.relations)  # noqa: SLF001  # our own
    is_plain = all(map(_is_plain, attrs.fields(cast("Any", made))))
    if is_plain and issubclass(made, Fields) and not writes_own:
        _keep_what_is_given(made)
    return made


def _own_relations(cls: type[Any]) -> tuple[Relation, ...]:
    return cast("tuple[Relation, ...]", vars(cls).get("relations", ()))


def _is_plain(attribute: Any) -> bool:
    """Whether a field is stored as it is given, and None if it isn't."""
    if attribute.converter or attribute.validator or not attribute.init:
        return False
    return attribute.default is None or attribute.default is attrs.NOTHING


def _keep_what_is_given(cls: Any) -> None:
    """Let requests hold the fields that are given, and the class a None for the others.

    Most fields are not given, and what attrs writes would store each of them.
    """
    written, names, required = cls.__init__, cls._checks.keys(), cls._required
    leading = tuple(each.name for each in attrs.fields(cls) if not each.kw_only)
    for each in attrs.fields(cls):
        if each.default is None:
            setattr(cls, each.name, None)

    @wraps(written)
    def init(self: Fields, *args: Any, **given: Any) -> None:
        fields = vars(self)
        for name, value in zip(leading, args):  # noqa: B905  # they need not be all
            fields[name] = value
        fields.update(given)
        if len(fields) == len(args) + len(given) and required <= fields.keys() <= names:
            self.__attrs_post_init__()
        else:
            written(self, *args, **given)  # says what is wrong with the arguments

    cls.__init__ = init


def _answer_type(cls: type[Request[Any]]) -> type[Any]:
    for base in cast("tuple[Any, ...]", getattr(cls, "__orig_bases__", ())):
        if typing.get_origin(base) is Request:
            return cast("type[Any]", typing.get_args(base)[0])
    raise TypeError(f"{cls.__name__} must derive from Request[its answer]")
