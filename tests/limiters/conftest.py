"""Fixtures for the limits that several processes share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .homes import Home, home_of


KINDS = ("host", "postgres")


@pytest.fixture(params=KINDS)
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """Make a place for a ledger, of each kind."""
    if request.param == "postgres" and sys.platform == "win32":
        pytest.skip("psycopg needs another event loop there")
    return home_of(request.param, tmp_path, lambda: request.getfixturevalue("dsn"))
