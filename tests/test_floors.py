"""The floors of the design: imports go down only, and the lower ones are pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import ideogram_async


ROOT = Path(ideogram_async.__file__).parent

FLOORS = (
    (
        *(
            "_lazy",
            "_plain",
            "_png",
            "_rules",
            "_stats",
            "_tally",
            "_version",
            "_whole",
        ),
        *("batch", "costs", "errors", "hooks", "requests", "responses"),
        *("uploads", "vocabulary", "_value"),
    ),
    (
        *("_codec", "_columns", "_converter", "_http", "_learning", "_logging"),
        *("_queue", "_rows", "_semantics", "inputs", "masks"),
    ),
    ("providers",),
    (
        *(
            "_ready",
            "_body",
            "_call",
            "_connector",
            "_deadlines",
            "_delivery",
            "_dsn",
            "_gate",
            "_links",
            "_listeners",
            "_lost",
            "_recorder",
        ),
        *("_retry", "_settings", "_threads", "_transport", "limiter", "limiters"),
    ),
    (
        *("_batches", "_bulk", "_failover", "_files", "_operations", "_polling"),
        *("_running", "_verb"),
    ),
    ("client",),
    ("jobs", "webhooks"),
    ("distributed",),
    ("cli", "sandbox", "telemetry", "testing", "web", "__main__", "__init__"),
)
FLOOR_OF = {name: number for number, names in enumerate(FLOORS) for name in names}
PURE = {name for names in FLOORS[:3] for name in names}
IMPURE = {"aiohttp", "anyio", "asyncio", "tenacity", "time", "socket", "threading"}

MODULES = sorted(ROOT.rglob("*.py"))


def unit(path: Path) -> str:
    """Return the module or sub-package of ours that *path* belongs to."""
    parts = path.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else path.stem


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each imported module and whether it is ours, without those for types."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or "", False
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1]
            names = [node.module] if node.module else [a.name for a in node.names]
            yield from ((".".join([*above, str(name)]), True) for name in names)


def test_every_module_has_its_floor() -> None:
    """No module stands outside the design."""
    assert {unit(path) for path in MODULES} == set(FLOOR_OF)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down_only(path: Path) -> None:
    """A module imports from its own floor or from a lower one."""
    floor = FLOOR_OF[unit(path)]
    upward = [
        name
        for name, is_ours in imports(path)
        if is_ours and FLOOR_OF[name.partition(".")[0]] > floor
    ]

    assert upward == []


def test_nothing_is_imported_in_a_circle() -> None:
    """Within a floor, modules import each other in one direction."""
    graph = {
        name: {
            target.partition(".")[0]
            for path in MODULES
            if unit(path) == name
            for target, is_ours in imports(path)
            if is_ours
        }
        - {name}
        for name in FLOOR_OF
    }
    while leaves := [name for name, targets in graph.items() if not targets]:
        graph = {
            name: targets - set(leaves)
            for name, targets in graph.items()
            if name not in leaves
        }

    assert graph == {}


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if unit(path) in PURE],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_the_lower_floors_are_pure(path: Path) -> None:
    """Floors 0 to 2 have no async function, no network and no clock."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    waits = [n for n in ast.walk(tree) if isinstance(n, ast.AsyncFunctionDef)]
    foreign = {name.partition(".")[0] for name, is_ours in imports(path) if not is_ours}
    allowed = {"threading"} if path.stem == "uploads" else set[str]()

    assert waits == []
    assert foreign & IMPURE <= allowed


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sizes(path: Path) -> None:
    """A module has up to 300 lines, the body of a function up to 35."""
    text = path.read_text(encoding="utf-8")
    long = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and body_lines(node) > 35
    ]

    assert len(text.splitlines()) <= 300
    assert long == []


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the number of lines behind the docstring."""
    start = function.body[0].lineno
    if ast.get_docstring(function) is not None:
        start = (function.body[0].end_lineno or start) + 1
    return (function.end_lineno or start) - start + 1
