"""The public names, and their documentation."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import attrs
import pytest

import ideogram_async
from ideogram_async import errors
from ideogram_async._operations import Operations
from ideogram_async._verb import Verb
from ideogram_async.providers import PROVIDERS
from ideogram_async.requests import REQUESTS, field_docs


PUBLIC = [getattr(ideogram_async, name) for name in ideogram_async.__all__]


def test_all_is_sorted_and_whole() -> None:
    """`__all__` lists every public name, in order."""
    visible = {
        name
        for name, value in vars(ideogram_async).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    } - {"TYPE_CHECKING", "lazy"}

    assert sorted(ideogram_async.__all__) == list(ideogram_async.__all__)
    assert visible | {"__version__"} <= set(ideogram_async.__all__)


def test_every_error_is_public() -> None:
    """All errors import from the top level."""
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    }

    assert defined <= set(ideogram_async.__all__)


def test_the_drawn_error_tree_is_the_real_one() -> None:
    """The tree in the docstring of `errors` shows every class under its base."""
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        name = line.lstrip("│├└─ ").partition(" ")[0]
        if name.endswith("Error"):
            depth = (len(line) - len(line.lstrip("│├└─ "))) // 3
            path[depth:] = [name]
            drawn[name] = path[depth - 1] if depth else "Exception"
    real = {
        name: value.__bases__[0].__name__
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.IdeogramError)
    }

    assert real == drawn


@pytest.mark.parametrize("value", PUBLIC, ids=ideogram_async.__all__)
def test_everything_public_is_documented(value: Any) -> None:
    """Every public class, and each of its public methods, has a docstring."""
    assert inspect.getdoc(value)
    if inspect.isclass(value):
        members = {
            name: member
            for name, member in vars(value).items()
            if not name.startswith("_") and (callable(member) or name in dir(property))
        }
        assert [n for n, m in members.items() if not inspect.getdoc(m)] == []


@pytest.mark.parametrize("kind", REQUESTS.values(), ids=REQUESTS)
def test_every_field_is_documented(kind: Any) -> None:
    """A request class describes each of its fields, its errors and its source."""
    assert set(field_docs(kind)) == set(attrs.fields_dict(kind))
    assert all(f"    {name}: " in kind.__doc__ for name in attrs.fields_dict(kind))
    assert "Raises:" in kind.__doc__ or not attrs.fields_dict(kind)
    assert "Source: https://developer.ideogram.ai/" in kind.__doc__


def test_every_request_class_has_one_verb() -> None:
    """Each operation can be called on the client by a verb of its own."""
    verbs = [
        verb.request_class
        for verb in vars(Operations).values()
        if isinstance(verb, Verb)
    ]

    assert sorted(each.__name__ for each in verbs) == sorted(REQUESTS)


def test_registries_hold_classes_by_name() -> None:
    """`REQUESTS` and `PROVIDERS` map names to classes."""
    assert all(name == kind.__name__ for name, kind in REQUESTS.items())
    assert len(REQUESTS) == 33
    assert len(PROVIDERS) == 5
    assert all(name == kind.name for name, kind in PROVIDERS.items())
    assert set(PROVIDERS) == {"ideogram", "openai-hk", "aihubmix", "kkiai", "pixazo"}
    assert REQUESTS["GenerateV3"].endpoint.method == "POST"
    assert REQUESTS["GenerateV3"].endpoint.path == "/v1/ideogram-v3/generate"
    assert REQUESTS["GenerateV3"].returns is ideogram_async.ImageResponse


def test_import_needs_no_extra() -> None:
    """Importing the package, and the help of its command line, needs no extra."""
    code = (
        "import sys\n"
        "for name in ('PIL', 'rich', 'opentelemetry'): sys.modules[name] = None\n"
        "import ideogram_async.cli\n"
        "ideogram_async.cli.main(['--help'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "run" in done.stdout
