"""A sandbox behind the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ideogram_async.sandbox import Sandbox


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Run a sandbox, and let the environment name it as the service."""
    with Sandbox(latency=0.01).running() as running:
        monkeypatch.setenv("IDEOGRAM_BASE_URL", running.url)
        monkeypatch.setenv("IDEOGRAM_API_KEY", "a key of the tests")
        yield running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
