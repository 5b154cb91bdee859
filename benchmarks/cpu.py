"""CPU per request, client by client: in turns, each time in fresh processes.

A ratio is that to the reference of the same repetition, in which all clients make their
requests slice by slice in turns, so that what else the machine does meanwhile falls out
as far as it can.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from contextlib import ExitStack, suppress
from threading import Timer
from typing import Any, Final, Self

import attrs

from .figures import ENVIRONMENT, ROOT, TIMEOUT, WrongError, require, spread
from .peers import REQUIREMENTS
from .server import ledger_of, running


Row = dict[str, float]
"""What a client took in one repetition."""

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
SLICES: Final = 10
"""How often each client's turn comes in a repetition."""
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
    rows: dict[str, dict[int, Row]] = defaultdict(dict)
    wrong: dict[str, str] = {}
    names = list(pythons)
    with running() as url:
        for turn in range(loads.repetitions):
            found = _turn(url, load, loads.requests[load], names, pythons)
            for name, row in found.items():
                if isinstance(row, str):
                    wrong[name] = row
                    names.remove(name)
                    continue
                rows[name][turn] = row
                if row["seconds"] > PATIENCE and name in PEERS:
                    names.remove(name)
            names = [*names[1:], names[0]]
    require(REFERENCE not in wrong, f"the reference failed: {wrong}")
    base = {turn: row["microseconds"] for turn, row in rows[REFERENCE].items()}
    figures = {name: _figures(rows[name], base) for name in rows if name not in wrong}
    return figures | {name: {"failed": said} for name, said in wrong.items()}


def _turn(
    url: str, load: int, requests: int, names: list[str], pythons: dict[str, str]
) -> dict[str, Row | str]:
    """Let all clients make their requests, slice by slice in turns.

    Returns:
        What each took, or why it failed.
    """
    found: dict[str, Row | str] = {}
    with ExitStack() as programs:
        loads = {
            name: programs.enter_context(_Load(name, url, load, pythons[name]))
            for name in names
        }
        for _ in range(SLICES):
            for name, each in loads.items():
                if name in found:
                    continue
                try:
                    each.slice(requests // SLICES // (SLOW if name in PEERS else 1))
                except WrongError as error:
                    found[name] = str(error)
        return found | {n: each.row() for n, each in loads.items() if n not in found}


class _Load:
    """A client in a process of its own, which waits between its slices."""

    def __init__(self, name: str, url: str, load: int, python: str) -> None:
        self._name, self._url = name, url
        self._used = self._seconds = 0.0
        self._requests = 0
        self._program = subprocess.Popen(
            [python, "-m", "benchmarks.load", name, url, str(load)],
            cwd=ROOT,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._program.kill()
        self._program.communicate()

    def slice(self, requests: int) -> None:
        """Make so many *requests*.

        Raises:
            WrongError: It failed, or not all of them were answered right.
        """
        before = ledger_of(self._url)["answered"]
        figures = self._told(requests)
        answered = ledger_of(self._url)["answered"] - before
        counts = {figures["sent"], figures["right"], answered}
        what = f"{self._name}: {figures}, but {answered} were answered"
        require(len(counts) == 1, what)
        self._requests += requests
        self._used += figures["cpu"]
        self._seconds += figures["seconds"]

    def row(self) -> Row:
        """Return what its requests took."""
        return {
            "microseconds": 1e6 * self._used / self._requests,
            "per_second": self._requests / self._seconds,
            "seconds": self._seconds,
        }

    def _told(self, requests: int) -> dict[str, float]:
        given: Any = self._program.stdin
        told: Any = self._program.stdout
        hung = Timer(TIMEOUT, self._program.kill)
        hung.start()
        try:
            with suppress(BrokenPipeError):  # it has ended
                given.write(f"{requests}\n")
                given.flush()
            line = told.readline()
        finally:
            hung.cancel()
        if not line:
            said = self._program.communicate()[1].strip().rpartition("\n")[2]
            raise WrongError(f"{self._name}: {said}")
        found: dict[str, float] = json.loads(line)
        return found


def _figures(rows: dict[int, Row], base: dict[int, float]) -> dict[str, Any]:
    return {
        "microseconds": spread(row["microseconds"] for row in rows.values()),
        "ratio": spread(row["microseconds"] / base[n] for n, row in rows.items()),
        "per_second": spread(row["per_second"] for row in rows.values()),
    }
