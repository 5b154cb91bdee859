"""The table of the figures: what is wanted, what was measured, who is faster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from . import goals
from .figures import Spread


MARKS: Final = re.compile(r"(<!-- results:.*?-->\n).*?(<!-- end -->)", re.DOTALL)
LABELS: Final = {
    "raw": "raw asyncio protocol, the floor",
    "aiohttp": "**raw aiohttp, json.loads: the reference**",
    "aiohttp tuned": "raw aiohttp, body made once, no cookies",
    "aiohttp cattrs": "raw aiohttp, cattrs into attrs",
    "aiohttp form": "raw aiohttp, its FormData",
    "script": "aiohttp, Semaphore, tenacity: the script of today",
    "generate": "**ours: `generate`**",
    "generate learning": "ours: `generate`, the gate learns",
    "generate_many": "ours: `generate_many`",
    "generate_legacy": "ours: `generate_legacy`",
    "aiohttp+uvloop": "raw aiohttp, json.loads, on uvloop",
    "generate+uvloop": "ours: `generate` on uvloop",
    "openai": "openai on its own transport",
    "openai aiohttp": "openai on aiohttp",
    "replicate": "replicate",
    "fal_client": "fal-client",
}


def shown(figure: Spread, digits: int = 2) -> str:
    """Return *figure* with its spread, as `1.19 (1.16..1.27)`."""
    median = f"{figure['median']:.{digits}f}"
    if figure["n"] == 1:
        return f"{median} (once)"
    return f"{median} ({figure['min']:.{digits}f}..{figure['max']:.{digits}f})"


def rows(*cells: list[str]) -> Iterator[str]:
    """Yield the lines of a table; the first row is its head."""
    for number, each in enumerate(cells):
        yield f"| {' | '.join(each)} |"
        if number == 0:
            yield f"|{' --- |' * len(each)}"
    yield ""


def about(results: dict[str, Any]) -> Iterator[str]:
    """Yield what was measured where."""
    found = results["about"]
    versions = ", ".join(
        f"{name} {version}"
        for name, version in (found["versions"] | found["peers"]).items()
    )
    yield f"{_runs(found)} Python {found['python']}, {found['system']},"
    yield f"{found['cores']} cores; {versions}."
    absent = results.get("cpu", {}).get("missing")
    if absent:
        yield f"Not installed, and so not measured: {', '.join(absent)}."
    yield ""


def _runs(about: dict[str, Any]) -> str:
    """Return in which run, or runs, it was measured."""
    parts: dict[str, list[str]] = {}
    for part, began in sorted(about["runs"].items()):
        parts.setdefault(began, []).append(part)
    kind = "A quick run: a look, no proof," if about["quick"] else "A full run,"
    if len(parts) == 1:
        return f"{kind} begun {min(parts)}."
    listed = "; ".join(f"{', '.join(parts[began])} {began}" for began in sorted(parts))
    return f"Parts of {len(parts)} runs, begun: {listed}."


def verdicts(results: dict[str, Any]) -> Iterator[str]:
    """Yield the table of what is wanted and what was measured."""
    cells = [["", "wanted", "measured", ""]]
    for goal in goals.goals(results):
        verdict = "yes" if goal.is_met else "**no**"
        wanted = f"{goal.sign} {goal.wanted:g} {goal.unit}".strip()
        cells.append([goal.what, wanted, shown(goal.measured, goal.digits), verdict])
    yield from rows(*cells)


def cpu(results: dict[str, Any]) -> Iterator[str]:
    """Yield the table of CPU per request."""
    by_load = results["cpu"]["by_load"]
    first = next(iter(by_load))
    cells = [
        ["CPU per request", *(f"{n} in flight" for n in by_load), f"µs at {first}"]
    ]
    order = sorted(
        {name for found in by_load.values() for name in found},
        key=lambda name: (
            by_load[first].get(name, {}).get("ratio", {"median": 1e9})["median"]
        ),
    )
    for name in order:
        found = [by_load[load].get(name, {}) for load in by_load]
        ratios = [
            shown(each["ratio"]) if "ratio" in each else "failed" for each in found
        ]
        micros = found[0].get("microseconds")
        absolute = f"{micros['median']:.0f}" if micros else ""
        cells.append([LABELS.get(name, name), *ratios, absolute])
    yield from rows(*cells)


def imports(results: dict[str, Any]) -> Iterator[str]:
    """Yield the table of imports."""
    found = results["imports"]
    cells = [["import, over bare Python", "over the five dependencies", "ms"]]
    for name, ratio in sorted(
        found["ratio"].items(), key=lambda each: float(each[1]["median"])
    ):
        cells.append([name, shown(ratio), shown(found["milliseconds"][name], 0)])
    yield from rows(*cells)
    names = ", ".join(f"`{name}`" for name in found["modules"])
    yield f"Imported beside what importing the five imports: {names}."
    yield ""


def policies(results: dict[str, Any]) -> Iterator[str]:
    """Yield the table of the policies."""
    found = results["long"]["simulated"]["policies"]
    names = list(next(iter(found.values())))
    cells = [["efficiency / refusals per item (given up)", *names]]
    for scenario, by_policy in found.items():
        line = [scenario]
        for name in names:
            each = {key: value["median"] for key, value in by_policy[name].items()}
            text = f"{each['efficiency']:.3f} / {each['refusals']:.3f}"
            failed = f" ({each['failed']:.0%})" if each["failed"] else ""
            line.append(text + failed)
        cells.append(line)
    yield from rows(*cells)


def sockets(results: dict[str, Any]) -> Iterator[str]:
    """Yield the table of the gate over sockets."""
    found = results["sockets"]
    cells = [["this gate, over sockets", "efficiency", "refusals per item"]]
    for name, each in found["scenarios"].items():
        cells.append([name, f"{each['efficiency']:.3f}", f"{each['refusals']:.3f}"])
    yield from rows(*cells)


def growth(results: dict[str, Any]) -> Iterator[str]:
    """Yield the table of the growth."""
    cells = [["growth", "items", "CPU µs each", "calls each"]]
    for name, by_items in results["growth"].items():
        for items, each in by_items.items():
            calls = shown(each["calls"], 1) if "calls" in each else ""
            cells.append([name, f"{int(items):,}", shown(each["microseconds"]), calls])
    yield from rows(*cells)


KEPT: Final = {
    "collect": "ours: `generate_many`",
    "uncollected": "the same, Python's garbage collector off",
    "parsed": "raw aiohttp, `json.loads`, a list",
}


def kept(results: dict[str, Any]) -> Iterator[str]:
    """Yield the table of what is kept."""
    found = results["kept"]
    holds = ("stall", "stall_own", "stall_gc")
    head = [f"{found['items']:,} results kept", "bytes each", "longest hold, ms"]
    cells = [[*head, "without the collector", "the collector"]]
    for name, title in KEPT.items():
        each = found[name]
        cells.append([title, *(shown(each[key], 0) for key in ("each", *holds))])
    yield from rows(*cells)
    yield (
        "Python's garbage collector looks at all that is alive, whoever made it. A"
        " program that keeps many results may call `gc.freeze()` after its imports and"
        " `gc.disable()` meanwhile; a library must not."
    )
    yield ""


def faster(results: dict[str, Any]) -> Iterator[str]:
    """Yield the lines where somebody is ahead of us."""
    yield "Where somebody is ahead of us:"
    yield ""
    lines = [f"* {line}" for line in goals.lost(results)]
    yield from lines or ["* nowhere"]
    yield ""


PARTS: Final = {
    "cpu": cpu,
    "imports": imports,
    "growth": growth,
    "kept": kept,
    "long": policies,
    "sockets": sockets,
}


def text(results: dict[str, Any]) -> str:
    """Return all tables; of parts that were not measured there is none."""
    lines = [*about(results), *verdicts(results), *faster(results)]
    for part, write_part in PARTS.items():
        if part in results:
            lines += write_part(results)
    return "\n".join(lines)


def write(results: dict[str, Any], path: Path) -> None:
    """Put the tables between the marks of the file at *path*."""
    before = path.read_text(encoding="utf-8")
    after = MARKS.sub(lambda found: found[1] + "\n" + text(results) + found[2], before)
    path.write_text(after, encoding="utf-8")
