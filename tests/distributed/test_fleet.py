"""A fleet in processes of their own, which are killed, frozen and cut off."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ..postgres import Postgres
from .fleet import Fleet, run


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_a_fleet_that_is_struck(tmp_path: Path, postgres: Postgres) -> None:
    """Every item is paid once, or held as unknown; nothing is lost, and all ends."""
    blows = [
        lambda fleet: fleet.kill(1),
        Fleet.freeze,
        Fleet.cut_off,
        lambda fleet: fleet.kill(3),
    ]
    random.Random(7).shuffle(blows)
    states = run(postgres, tmp_path / "out", 60, blows, latency=0.4)

    assert states["saved"] + states["unknown"] == 60
    assert states["saved"] > 30
