"""Measures all of it: `python -m benchmarks [--quick] [--peers PYTHON]`.

Writes `results.json`, the table in `README.md` and the plots, all in this folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import attrs

from . import cpu, imports, table
from . import growth as cases
from .figures import outcome, spreads
from .server import running


FOLDER: Final = Path(__file__).parent
MIB: Final = 2**20
PACKAGES: Final = ("ideogram-async", *imports.DEPENDENCIES[7:].split(", "), "uvloop")
GATE: Final = ("cap 10", "cap 4", "cap 40", "cap 10, 4, 16", "mixed sizes")


@attrs.frozen
class Plan:
    """How much is measured.

    Attributes:
        loads: Of the CPU per request.
        imports: Repetitions of each import.
        seeds: Of the simulation.
        simulated: Items of each simulated scenario.
        gate: Items of each scenario over sockets.
        shares: Seconds that two clients share a key.
        file: Bytes of an upload or a download.
        repetitions: Of all else that is repeated.
        sent: Numbers of items that a server is asked for.
        jobs: Numbers of items of a job.
        counted: Numbers of items of what stays in the process.
        stream: Prompts that are streamed.
    """

    loads: cpu.Loads
    imports: int
    seeds: int
    simulated: int
    gate: int
    shares: int
    file: int
    repetitions: int
    sent: tuple[int, ...]
    jobs: tuple[int, ...]
    counted: tuple[int, ...]
    stream: int


FULL: Final = Plan(
    loads=cpu.Loads(7, {10: 3000, 100: 3000, 1000: 10_000}),
    imports=11,
    seeds=5,
    simulated=2000,
    gate=2000,
    shares=100,
    file=1024 * MIB,
    repetitions=5,
    sent=(100, 1_000, 10_000, 100_000),
    jobs=(100, 1_000, 10_000),
    counted=(100, 10_000, 100_000),
    stream=1_000_000,
)
QUICK: Final = Plan(
    loads=cpu.Loads(2, {10: 600, 100: 600}),
    imports=3,
    seeds=1,
    simulated=400,
    gate=200,
    shares=10,
    file=256 * MIB,
    repetitions=1,
    sent=(100, 4_000),
    jobs=(100, 1_000),
    counted=(100, 10_000),
    stream=8_000,
)


def files(plan: Plan) -> dict[str, Any]:
    """Return the memory and the stalls of files, and of what is done first."""
    found: dict[str, Any] = {"bytes": plan.file}
    with running() as url:
        for case in ("upload", "download"):
            rows = [
                outcome("memory", case, url, plan.file) for _ in range(plan.repetitions)
            ]
            found[case] = spreads(rows)
        rows = [outcome("memory", "first", url, 20) for _ in range(plan.repetitions)]
        found["first"] = spreads(rows)
    return found


def growth(plan: Plan) -> dict[str, Any]:
    """Return the CPU per item, by case and by the number of items."""
    sizes = {
        name: plan.jobs if name == "job" else plan.sent for name in cases.SENDING
    } | dict.fromkeys(cases.COUNTED, plan.counted)
    with running() as url:
        return {
            name: {str(size): spreads(found) for size, found in rows.items()}
            for name, numbers in sizes.items()
            for rows in [_grown(name, url, numbers, plan.repetitions)]
        }


def _grown(
    name: str, url: str, sizes: tuple[int, ...], repetitions: int
) -> dict[int, list[Any]]:
    """Measure all sizes in turns, so that a busy machine is so for all of them."""
    rows: dict[int, list[Any]] = {size: [] for size in sizes}
    for _ in range(repetitions):
        for size, found in rows.items():
            times = max(1, 3000 // size)
            found.append(outcome("growth", name, url, size, times))
    return rows


def kept(plan: Plan) -> dict[str, Any]:
    """Return memory and stalls where many results are kept, ours and parsed JSON."""
    items = max(plan.sent)
    found: dict[str, Any] = {"items": items}
    rows: dict[str, list[Any]] = {"collect": [], "uncollected": [], "parsed": []}
    with running() as url:
        for _ in range(plan.repetitions):
            for name, each in rows.items():
                row = outcome("memory", name, url, items)
                found["points"] = row.pop("points", None) or found["points"]
                each.append(row)
    return found | {name: spreads(each) for name, each in rows.items()}


def long_runs(plan: Plan) -> dict[str, Any]:
    """Return the memory of a long stream, and meanwhile what is simulated.

    Neither needs a quiet machine: one looks at memory, the other lives in virtual time.
    """
    with running() as url, ThreadPoolExecutor() as pool:
        stream = pool.submit(outcome, "memory", "stream", url, plan.stream)
        simulation = pool.submit(outcome, "simulated", plan.seeds, plan.simulated)
        simulated = simulation.result()
        script = outcome("memory", "gather", url, max(plan.sent))
        streamed = stream.result()
    return {
        "stream": {"items": plan.stream, **streamed},
        "gather": {"items": max(plan.sent), **script},
        "simulated": simulated,
    }


def sockets(plan: Plan) -> dict[str, Any]:
    """Return what the gate reaches over sockets: scenarios mostly wait, so at once."""
    with ThreadPoolExecutor() as pool:
        pending = [
            pool.submit(outcome, "gate", name, "--json", "--items", plan.gate)
            for name in GATE
        ]
        found: dict[str, Any] = {}
        for each in pending:
            found |= each.result()
    shares = outcome("gate", "--shares", plan.shares)
    return {"scenarios": found, "shares": shares, "items": plan.gate}


def about(peers: str | None, runs: dict[str, str], *, is_quick: bool) -> dict[str, Any]:
    """Return what was measured where, and when by *runs*."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": len(os.sched_getaffinity(0)),
        "runs": runs,
        "quick": is_quick,
        "versions": _versions(),
        "peers": outcome("peers", python=peers) if peers else {},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def main() -> None:
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a look, in four minutes")
    parser.add_argument("--peers", metavar="PYTHON", help="of the peers' environment")
    parser.add_argument("--only", nargs="+", metavar="PART", help="leave the rest")
    parser.add_argument("--table", action="store_true", help="measure nothing")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="FOLDER")
    given = parser.parse_args()
    plan = QUICK if given.quick else FULL
    parts: dict[str, Callable[[], Any]] = {
        "imports": lambda: imports.measured(plan.imports, given.peers),
        "cpu": lambda: cpu.measured(plan.loads, given.peers),
        "files": lambda: files(plan),
        "growth": lambda: growth(plan),
        "kept": lambda: kept(plan),
        "sockets": lambda: sockets(plan),
        "long": lambda: long_runs(plan),
    }
    path = given.out / "results.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    runs: dict[str, str] = results.get("about", {}).get("runs", {})
    begun = time.strftime("%Y-%m-%d %H:%M")
    for name in () if given.table else given.only or parts:
        started = time.monotonic()
        results[name] = parts[name]()
        runs[name] = begun
        results["about"] = about(given.peers, runs, is_quick=given.quick)
        path.write_text(json.dumps(results, indent=1) + "\n")  # not only at the end
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    table.write(results, given.out / "README.md")
    from . import plots  # noqa: PLC0415  # matplotlib, for this alone

    plots.draw(results, given.out / "plots")


if __name__ == "__main__":
    main()
