"""A job that is killed at random instants; the long version is `nox -s kill`."""

from __future__ import annotations

from pathlib import Path

import pytest

from .kill import run


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("later", [False, True])
def test_killed_at_random(
    tmp_path: Path,
    later: bool,  # noqa: FBT001  # a parameter of pytest
) -> None:
    """Nothing is paid twice, nothing paid is lost, and no other file is left."""
    states = run(tmp_path / "out", items=30, kills=6, later=later, latency=0.01)

    assert states["killed at work"] > 0
    assert states["saved"] + states["unknown"] == 30
