"""Instructions of a request, client by client, as valgrind counts them.

    python -m benchmarks.instructions [CLIENT ...]

CPU time on a shared machine differs by 10 to 20 % from one process to the next; the
instructions of a program don't, so a change of one in a hundred shows. What the kernel
does for it is not counted. Needs valgrind, and takes half a minute for each client.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from .figures import ENVIRONMENT, require
from .server import running


CLIENTS: Final = (
    *("aiohttp", "aiohttp tuned", "aiohttp cattrs", "aiohttp form", "script"),
    *("generate", "generate learning", "generate_many"),
)
IN_FLIGHT: Final = 10
FEW: Final = 200
MANY: Final = 1200
"""Requests of a short run and of a long one, whose difference is counted."""

VALGRIND: Final = (
    *("valgrind", "--tool=cachegrind", "--cache-sim=no"),
    "--cachegrind-out-file=/dev/null",
)
COUNTED: Final = re.compile(r"I\s+refs:\s+([\d,]+)")


def counted(client: str, url: str, requests: int) -> int:
    """Return the instructions of a process that makes so many requests."""
    load = (sys.executable, "-m", "benchmarks.load", client, url, str(IN_FLIGHT))
    ran = subprocess.run(
        [*VALGRIND, *load],
        input=str(requests),
        env={**ENVIRONMENT, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = COUNTED.search(ran.stderr)
    require(found is not None and ran.returncode == 0, ran.stderr[-500:])
    return int(found[1].replace(",", "")) if found else 0


def of_a_request(client: str, url: str) -> float:
    """Return the instructions of one request."""
    more = counted(client, url, MANY) - counted(client, url, FEW)
    return more / (MANY - FEW)


def main(clients: Sequence[str]) -> None:
    """Print the table; the first client is the reference."""
    print("| instructions of a request | thousands | ratio |\n| --- | --- | --- |")
    first = 0.0
    with running() as url:
        for client in clients:
            number = of_a_request(client, url)
            first = first or number
            print(f"| {client} | {number / 1000:.0f} | {number / first:.2f} |")


if __name__ == "__main__":
    main(sys.argv[1:] or CLIENTS)
