"""`python -m tests.fuzz TARGET [OPTION...]`: fuzz a target; options are libFuzzer's.

A crash leaves its input in the present folder, as `crash-...`; give that file as an
option to run it alone.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path

import atheris


SECONDS = 600
LONGEST = 4096
"""Bytes of an input."""


def main() -> None:
    """Fuzz the target that is named."""
    name, *options = sys.argv[1:]
    with atheris.instrument_imports(include=["ideogram_async", "json", "csv", "email"]):
        target = import_module(f"tests.fuzz.{name}")
    with tempfile.TemporaryDirectory(prefix="corpus-") as corpus:
        for number, seed in enumerate(target.seeds()):
            Path(corpus, f"seed-{number}").write_bytes(seed)
        limits = [f"-max_total_time={SECONDS}", f"-max_len={LONGEST}", "-timeout=30"]
        if not any(Path(option).is_file() for option in options):
            options = [*limits, "-print_final_stats=1", *options, corpus]
        atheris.Setup([sys.argv[0], *options], target.try_one)
        atheris.Fuzz()


main()
