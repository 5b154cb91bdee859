"""Figures with their spread, and the programs that make them."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final


ROOT: Final = Path(__file__).parents[1]
TIMEOUT: Final = 1800
"""Seconds after which a measurement has hung."""
ENVIRONMENT: Final = {
    name: value
    for name, value in os.environ.items()
    if name not in {"PYTHONDONTWRITEBYTECODE", "PYTHONSAFEPATH"}
}
"""Of every program: it finds compiled files, as elsewhere, and this folder."""

Spread = dict[str, float]
"""A figure: its median, least and most, and the number of repetitions."""


class WrongError(Exception):
    """A measurement did not do what it was to measure."""


def spread(values: Iterable[float]) -> Spread:
    """Return the median of *values* with its spread."""
    found = sorted(values)
    return {
        "median": rounded(statistics.median(found)),
        "min": rounded(found[0]),
        "max": rounded(found[-1]),
        "n": len(found),
    }


def spreads(rows: list[dict[str, float]]) -> dict[str, Spread]:
    """Return the spread of each figure of repetitions that have the same figures."""
    return {name: spread(row[name] for row in rows) for name in rows[0]}


def rounded(value: float) -> float:
    """Return *value* with four digits."""
    return float(f"{value:.4g}")


def outcome(program: str, *arguments: object, python: str = sys.executable) -> Any:
    """Run a module of ours as a program, and return the JSON that it prints.

    Raises:
        WrongError: It failed.
    """
    command = [python, "-m", f"benchmarks.{program}", *map(str, arguments)]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    if ended.returncode:
        last = ended.stderr.strip().rpartition("\n")[2]
        raise WrongError(f"{program} {arguments}: {last}")
    return json.loads(ended.stdout)


def require(is_right: object, what: str) -> None:
    """Raise unless it is right.

    Raises:
        WrongError: It isn't.
    """
    if not is_right:
        raise WrongError(what)
