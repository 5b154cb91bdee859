"""Fixtures for all tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest


# Worker processes find the tests, and still the installed package before the source.
sys.path.append(str(Path(__file__).parents[1]))


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, which aiohttp needs."""
    return "asyncio"
