"""Some of the cancelled calls; all of them are `nox -s cancellation`."""

from __future__ import annotations

from itertools import cycle

import pytest

from .scenarios import SCENARIOS
from .steps import WAYS
from .sweep import cancel_all


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_is_left_behind() -> None:
    """Wherever calls are cancelled nothing is held, and what was paid is told."""
    problems, cancelled = cancel_all(zip(SCENARIOS, cycle(WAYS), strict=False), 6)

    assert problems == []
    assert cancelled >= len(SCENARIOS)
