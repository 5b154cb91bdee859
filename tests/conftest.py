"""Fixtures for all tests."""

from __future__ import annotations

import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from .postgres import Postgres
from .postgres import postgres as running


# Worker processes find the tests, and still the installed package before the source.
sys.path.append(str(Path(__file__).parents[1]))


@pytest.fixture
def anyio_backend() -> str:
    """Run async tests on asyncio, which aiohttp needs."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    """Run a PostgreSQL for all tests that ask for it; each makes its own database."""
    with running() as server:
        yield server


@pytest.fixture
def dsn(postgres: Postgres) -> Generator[str]:
    """Empty a database for one test, and return its address."""
    with postgres.borrowed() as dsn:
        yield dsn
