"""A few seconds of the soak; the hour is `nox -s soak`."""

from __future__ import annotations

import pytest

from .run import soak


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_leaks_and_nothing_is_lost() -> None:
    """Whatever callers and the network do, the accounts equal the ledger."""
    assert soak(seconds=1, every=1, latency=0.05) == []
