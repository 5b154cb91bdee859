"""A sample of the fuzzing: seeds of every target, whole, cut off, and changed."""

from __future__ import annotations

import random
from importlib import import_module

import pytest


TARGETS = ("answers", "manifest", "png", "prompts", "refusals", "webhooks")
SEEDS = 30
CHANGES = 5


def changed(seed: bytes, chance: random.Random) -> bytes:
    """Return *seed* with a few bytes changed, put in, or left out."""
    made = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(1, max(1, len(made)))
        made[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    return bytes(made)


@pytest.mark.parametrize("name", TARGETS)
def test_sample(name: str) -> None:
    """No input makes a parser raise what is no error of ours."""
    target = import_module(f"tests.fuzz.{name}")
    chance = random.Random(name)
    seeds = list(target.seeds())
    for seed in chance.sample(seeds, min(SEEDS, len(seeds))):
        target.try_one(seed)
        target.try_one(seed[: len(seed) // 2])
        for _ in range(CHANGES):
            target.try_one(changed(seed, chance))
