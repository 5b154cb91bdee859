"""What it takes to import: wall clock over bare Python, in fresh processes.

The order changes with every repetition, and the bare Python of the same repetition is
taken off.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from .cpu import missing
from .figures import ENVIRONMENT, ROOT, require, spread


DEPENDENCIES: Final = "import aiohttp, anyio, attrs, cattrs, tenacity"
FIRST: Final = """
from ideogram_async import GenerateV3, IdeogramClient
from ideogram_async.providers import Ideogram
IdeogramClient("a key")
next(Ideogram("a key").exchange(GenerateV3("a cat")))
"""
"""All that comes before the first request of a program can leave."""

PROGRAMS: Final = {
    "bare": ("-c", "pass"),
    "dependencies": ("-c", DEPENDENCIES),
    "ideogram_async": ("-c", "import ideogram_async"),
    "IdeogramClient": ("-c", "from ideogram_async import IdeogramClient"),
    "first request": ("-c", FIRST),
    "ideogram --help": ("-m", "ideogram_async", "--help"),
    "aiohttp": ("-c", "import aiohttp"),
}
PEERS: Final = ("openai", "replicate", "fal_client")
MODULES: Final = f"""
{DEPENDENCIES}
import json, sys
before = set(sys.modules)
from ideogram_async import IdeogramClient
more = sorted(set(sys.modules) - before)
print(json.dumps([name for name in more if not name.startswith("ideogram_async")]))
"""


def measured(repetitions: int, peers: str | None) -> dict[str, Any]:
    """Return milliseconds over bare Python, and what is imported beside the five.

    Args:
        repetitions: How often each is measured.
        peers: Python of the peers' environment, if there is one.
    """
    programs = {name: (sys.executable, *each) for name, each in PROGRAMS.items()}
    absent = missing(peers)
    for name in PEERS:
        if peers and name not in absent:
            programs[name] = (peers, "-c", f"import {name}")
    milliseconds: dict[str, list[float]] = defaultdict(list)
    ratios: dict[str, list[float]] = defaultdict(list)
    for turn in range(-1, repetitions):  # the first fills the caches
        names = list(programs)
        names = names[turn % len(names) :] + names[: turn % len(names)]
        walls = {name: _wall(programs[name]) for name in names}
        if turn < 0:
            continue
        bare = walls.pop("bare")
        for name, wall in walls.items():
            milliseconds[name].append(1e3 * (wall - bare))
            ratios[name].append((wall - bare) / (walls["dependencies"] - bare))
    print(f"imports: {repetitions} of each", flush=True)
    return {
        "milliseconds": {name: spread(each) for name, each in milliseconds.items()},
        "ratio": {name: spread(each) for name, each in ratios.items()},
        "modules": json.loads(_run((sys.executable, "-c", MODULES))),
        "missing": absent,
    }


def _run(command: Sequence[str]) -> bytes:
    ended = subprocess.run(
        command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, check=False
    )
    require(ended.returncode == 0, f"{command}: {ended.stderr.decode()[-300:]}")
    return ended.stdout


def _wall(command: Sequence[str]) -> float:
    started = time.perf_counter()
    _run(command)
    return time.perf_counter() - started
