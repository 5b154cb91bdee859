"""A sample of the matrix of faults; `nox -s faults` runs all of it."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from ideogram_async import (
    DecodeError,
    OutcomeUnknownError,
    StatusError,
)

from .matrix import NAMES, Case, cases, scene_of, service, trial
from .proxy import Fault, FaultyProxy
from .table import FINE, ROWS


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


class Storm(FaultyProxy):
    """A proxy where every third request meets some fault, each another one."""

    chance = random.Random(7)
    faults = tuple(
        row.fault
        for row in ROWS
        if row.group in {"the connection ends", "the frame of the answer", "its status"}
        and "100 MB" not in row.name
        and row.name[:3] not in {"401", "402", "403"}
        and not (row.fault.is_silent or row.fault.needs_idle or row.fault.is_early)
        and row.fates["generate"] != FINE
    )

    def drawn(self, *, early: bool = False) -> Fault:
        """Return what strikes now."""
        if early or self.chance.random() > 1 / 3:
            return Fault()
        return self.chance.choice(self.faults)


async def test_a_batch_in_a_storm() -> None:
    """A batch that meets all faults at once ends; each item is paid once at most."""
    prompts = [f"cat {number}" for number in range(120)]
    async with service() as sandbox, scene_of(sandbox, Fault(), Storm) as scene:
        batch = await scene.client.generate_many(prompts, rendering_speed="TURBO")
        left_over = scene.left_over("generate")

    billed = sandbox.ledger.times_billed
    refused = Counter[str]()
    assert [outcome.request.prompt for outcome in batch] == prompts
    for success in batch.successes:
        assert billed[success.request.prompt] == 1
    for failure in batch.failures:
        kind = type(failure.error)
        assert issubclass(kind, OutcomeUnknownError | DecodeError | StatusError)
        is_unknown = issubclass(kind, OutcomeUnknownError | DecodeError)
        assert billed[failure.request.prompt] <= is_unknown
        refused[kind.__name__] += 1
    assert len(refused) > 3
    assert len(batch.successes) > 60
    assert left_over == []
