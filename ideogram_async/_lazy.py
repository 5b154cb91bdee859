"""Names of a package that load their module when they are first asked for (PEP 562).

A class costs about a millisecond to make, and a program uses few of them. Type checkers
and readers see ordinary imports under `TYPE_CHECKING`; at run time a table of the same
names stands for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy(package: str, names: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of *package*.

    Args:
        package: Its `__name__`.
        names: What each of its modules gives it, with a space between.
    """
    module_of = {
        name: module for module, each in names.items() for name in each.split()
    }

    def __getattr__(name: str) -> Any:  # noqa: N807  # the name of PEP 562
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{module_of[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__
