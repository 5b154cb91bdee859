"""Names of a package whose modules are loaded when they are first asked for (PEP 562).

It takes most of a millisecond to make a class, and a program uses few of ours. Type
checkers and readers see ordinary imports under `TYPE_CHECKING`; at run time a table of
the same names stands for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the `__getattr__` and the `__dir__` of *package*.

    Args:
        package: Its `__name__`; what is not in its `__all__` is not given.
        modules: The names that each of its modules has for it, a space between them;
            nothing where a module has all that are left, a dot where it has none. A
            public module is given itself, too.
    """
    module_of = {
        name: module for module, each in modules.items() for name in each.split()
    }
    module = sys.modules[package]
    rest = [name for name, each in modules.items() if not each]

    def get(name: str) -> Any:
        if name in modules and not name.startswith("_"):
            return import_module(f"{package}.{name}")
        if name not in module.__all__:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        places = [module_of[name]] if name in module_of else rest
        sources = (import_module(f"{package}.{each}") for each in places)
        value = next(getattr(each, name) for each in sources if hasattr(each, name))
        setattr(module, name, value)
        return value

    return get, lambda: list(module.__all__)
