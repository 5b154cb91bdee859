"""Docstrings of request classes: the one place where their fields are described."""

from __future__ import annotations

import inspect
import re
from typing import Any


_ENTRY = re.compile(r"^    (\w+): (.*(?:\n        .*)*)", re.MULTILINE)
_SECTION = re.compile(r"^Attributes:\n((?:    .*\n?|\n(?=    ))*)", re.MULTILINE)


def field_docs(cls: type[Any]) -> dict[str, str]:
    """Return the description of every field, by name, those of base classes too."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        section = _SECTION.search(inspect.cleandoc(vars(base).get("__doc__") or ""))
        for name, text in _ENTRY.findall(section[1] if section else ""):
            found[name] = " ".join(text.split())
    return found


def with_inherited_attributes(cls: type[Any]) -> str:
    """Return the docstring of *cls* with the fields of its groups added."""
    own = inspect.cleandoc(cls.__doc__ or "")
    docs = field_docs(cls)
    section = _SECTION.search(own)
    if not docs:
        return own
    if section is None:
        before, heading, after = own.partition("Raises:\n")
        body = "Attributes:\n"
    else:
        before, heading, after = (
            own[: section.end(1)].rstrip("\n"),
            "",
            own[section.end(1) :],
        )
        body = "\n"
        for name, _ in _ENTRY.findall(section[1]):
            del docs[name]
    body += "".join(f"    {name}: {text}\n" for name, text in docs.items())
    return f"{before}{body}\n{heading}{after.lstrip()}"
