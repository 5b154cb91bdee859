"""CPU per request, client by client: interleaved, each time in a fresh process.

A ratio is that to the reference of the same repetition, so that what else the machine
does meanwhile falls out as far as it can.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

import attrs

from .figures import ENVIRONMENT, WrongError, outcome, require, spread
from .peers import REQUIREMENTS
from .server import ledger_of, running


REFERENCE: Final = "aiohttp"
OURS: Final = ("generate", "generate learning", "generate_many", "generate_legacy")
CLIENTS: Final = (
    REFERENCE,
    *("raw", "aiohttp tuned", "aiohttp cattrs", "aiohttp form", "script"),
    *OURS,
    *("aiohttp+uvloop", "generate+uvloop"),
)
PEERS: Final = {
    "openai": "openai",
    "openai aiohttp": "openai",
    "replicate": "replicate",
    "fal_client": "fal_client",
}
"""Clients in the peers' environment, and what each imports."""
SLOW: Final = 3
"""How many times fewer requests a peer makes, as it is that much slower or more."""
PATIENCE: Final = 10.0
"""Seconds; who takes longer is measured once."""


def missing(python: str | None) -> list[str]:
    """Return the peers that aren't installed for *python*."""
    if python is None:
        return list(REQUIREMENTS)
    return [
        name
        for name in REQUIREMENTS
        if subprocess.run(
            [python, "-c", f"import {name}"],
            env=ENVIRONMENT,
            capture_output=True,
            check=False,
        ).returncode
    ]


@attrs.frozen
class Loads:
    """What is measured.

    Attributes:
        repetitions: How often each client is measured.
        requests: How many requests each makes then, by how many at once: so many more
            that how it begins and ends is little of it.
    """

    repetitions: int
    requests: dict[int, int]


def measured(loads: Loads, peers: str | None) -> dict[str, Any]:
    """Return microseconds and ratios of every client, by requests in flight.

    Args:
        loads: What is measured.
        peers: Python of the peers' environment, if there is one.
    """
    absent = missing(peers)
    there = [name for name, module in PEERS.items() if module not in absent]
    pythons = dict.fromkeys(CLIENTS, sys.executable)
    pythons |= dict.fromkeys(there, peers or "")
    return {
        "reference": REFERENCE,
        "requests": loads.requests,
        "missing": absent,
        "by_load": {str(at): _at(at, loads, pythons) for at in loads.requests},
    }


def _at(load: int, loads: Loads, pythons: dict[str, str]) -> dict[str, Any]:
    rows: dict[str, list[tuple[int, dict[str, float]]]] = defaultdict(list)
    wrong: dict[str, str] = {}
    slow: set[str] = set()
    with running() as url:
        for turn, name in _turns(list(pythons), loads.repetitions):
            if name in wrong or name in slow:
                continue
            count = loads.requests[load] // (SLOW if name in PEERS else 1)
            started = time.perf_counter()
            try:
                row = _one(name, url, load, count, pythons[name])
            except WrongError as error:
                wrong[name] = str(error)
                continue
            rows[name].append((turn, row))
            if time.perf_counter() - started > PATIENCE and name in PEERS:
                slow.add(name)
    require(REFERENCE not in wrong, f"the reference failed: {wrong}")
    base = {turn: row["microseconds"] for turn, row in rows[REFERENCE]}
    found = {name: _figures(rows[name], base) for name in rows if name not in wrong}
    return found | {name: {"failed": said} for name, said in wrong.items()}


def _turns(names: list[str], repetitions: int) -> Iterator[tuple[int, str]]:
    """Yield each name in each repetition, every time in another order."""
    for turn in range(repetitions):
        start = turn % len(names)
        yield from ((turn, name) for name in names[start:] + names[:start])


def _figures(
    rows: list[tuple[int, dict[str, float]]], base: dict[int, float]
) -> dict[str, Any]:
    return {
        "microseconds": spread(row["microseconds"] for _, row in rows),
        "ratio": spread(row["microseconds"] / base[turn] for turn, row in rows),
        "per_second": spread(row["per_second"] for _, row in rows),
    }


def _one(name: str, url: str, load: int, count: int, python: str) -> dict[str, float]:
    before = ledger_of(url)["answered"]
    figures: dict[str, float] = outcome("load", name, url, load, count, python=python)
    answered = ledger_of(url)["answered"] - before
    counts = {figures["sent"], figures["right"], answered}
    require(len(counts) == 1, f"{name}: {figures}, but {answered} were answered")
    return figures
