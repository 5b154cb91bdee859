"""A sample of the matrix of faults; `nox -s faults` runs all of it."""

from __future__ import annotations

import pytest

from .matrix import NAMES, Case, cases, service, trial
from .table import ROWS


def sample() -> list[Case]:
    """Return one trial of each fault, each of another operation than the one before.

    What would take seconds is left out, and half of the statuses.
    """
    chosen: list[Case] = []
    for number, row in enumerate(ROWS):
        asks = row.waits or "Retry-After" in row.name
        names = ("list", "poll", "download") if asks else NAMES
        name = names[number % len(names)]
        once = row.is_done_once or name == "poll" or number % 5 != 1
        is_like_another = number % 2 and row.name[0] in "2345"
        if "100 MB" not in row.name and not is_like_another:
            chosen.append((row, name, once))
    return chosen


@pytest.mark.parametrize(
    ("row", "name", "once"),
    [pytest.param(*case, id=f"{case[0].name}-{case[1]}") for case in sample()],
)
async def test_fault(row, name, once) -> None:
    """A fault comes to what the table says, costs nothing twice, and leaves nothing."""
    async with service() as sandbox:
        wrong = await trial(sandbox, row, name, once=once)

    assert wrong == []


def test_every_operation_meets_every_fault() -> None:
    """The table knows what comes of each operation; no two faults have one name."""
    assert all(set(row.fates) == set(NAMES) for row in ROWS)
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert len(cases()) > 1000
