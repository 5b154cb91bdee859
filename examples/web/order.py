"""What the three applications share: what may be asked for, and how they start."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ideogram_async import IdeogramClient
from ideogram_async.vocabulary import AspectRatioV3


PAGE = Path(__file__).parent / "page"
MOST = 60
"""Prompts of one batch: each of them costs money."""


@dataclass
class Order:
    """What the page asks for.

    Attributes:
        prompts: One for each picture.
        aspect_ratio: The shape of the pictures.
    """

    prompts: list[str]
    aspect_ratio: AspectRatioV3 = "1x1"

    def __post_init__(self) -> None:
        """Check what was asked for."""
        if not 1 <= len(self.prompts) <= MOST:
            raise ValueError(f"give 1 to {MOST} prompts")


@contextmanager
def options() -> Generator[tuple[Callable[[], IdeogramClient], int]]:
    """Read the command line: what makes the client, and the port to listen on."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument(
        "--sandbox", action="store_true", help="draw the pictures here: no key, no cost"
    )
    given = parser.parse_args()
    print(f"http://127.0.0.1:{given.port}/", flush=True)
    if not given.sandbox:
        yield IdeogramClient, given.port
        return
    from ideogram_async.sandbox import Sandbox  # needs Pillow

    with Sandbox(latency=1.5).running() as sandbox:
        yield partial(IdeogramClient, "any key", base_url=sandbox.url), given.port
