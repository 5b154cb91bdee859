"""Who may write what of an item, and when: who has it, had it, or gets it next."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anyio
import attrs
import psycopg
import pytest

from ideogram_async import BudgetExceededError
from ideogram_async.distributed import enqueue
from ideogram_async.distributed._claims import (
    Assignment,
    claiming,
    releasing,
    rescuing,
)
from ideogram_async.distributed._database import Database
from ideogram_async.distributed._journal import PostgresJournal, TakenError
from ideogram_async.jobs._items import Item

from ..jobs.shelves import ignore
from ..jobs.shop import price
from .crew import change, rows


ANSWER = {"answer": "{}", "files": '["a.png"]'}


@attrs.define
class Bench:
    """One job with two items, and what claims them.

    Attributes:
        dsn: The database.
        database: The same, open.
        journal: The job's.
    """

    dsn: str
    database: Database
    journal: PostgresJournal

    async def claim(self, owner: int, number: int = 1) -> Assignment:
        """Claim an item."""
        found = await self.database.writer.write(claiming(number, owner))
        assert found is not None
        return found

    async def send(self, item: Item) -> None:
        """Write down that it is about to be sent."""
        item.cost += 30_000_000
        await self.journal.move(item, "sent")

    async def rescue(self) -> None:
        """Take everybody for dead."""
        await self.database.writer.write(rescuing(1))

    def states(self) -> list[Any]:
        """Return state, queued, owner of all items."""
        return rows(self.dsn, "state, queued, owner")


@pytest.fixture
async def bench(tmp_path: Path, dsn: str) -> AsyncGenerator[Bench]:
    """Enqueue two items under a budget for one."""
    await enqueue(["a", "b"], dsn, out=tmp_path, price=price, budget="0.03")
    database = await Database.opened(dsn, ignore, patience=1)
    yield Bench(dsn, database, await PostgresJournal.opened(database, 1))
    await database.aclose()


async def test_an_item_is_claimed_once(bench: Bench) -> None:
    """A second entry of the queue finds it taken; a repeated claim finds it its own."""
    claim = claiming(1, owner=7)
    first = await bench.database.writer.write(claim)
    again = await bench.database.writer.write(claim)
    other = await bench.database.writer.write(claiming(1, owner=7))

    assert first is not None
    assert again is not None
    assert again.item.claim == first.item.claim
    assert other is None


async def test_what_was_not_sent_goes_on(bench: Bench) -> None:
    """The item of a dead worker is given to another; the first can't send it then."""
    dead = await bench.claim(1)
    await bench.rescue()
    heir = await bench.claim(2)
    with pytest.raises(TakenError, match="no longer this worker's"):
        await bench.send(dead.item)
    await bench.send(heir.item)

    assert bench.states()[0] == ("sent", True, 2)


async def test_what_was_sent_is_unknown(bench: Bench) -> None:
    """It is held, and neither the worker that wakes nor another can send it."""
    frozen = await bench.claim(1)
    await bench.send(frozen.item)
    await bench.rescue()
    assert bench.states()[0] == ("unknown", False, None)
    with pytest.raises(TakenError):
        await bench.send(frozen.item)

    assert await bench.database.writer.write(claiming(1, owner=2)) is None
    assert bench.states()[0] == ("unknown", False, None)


async def test_an_answer_that_comes_late(bench: Bench) -> None:
    """What a frozen worker had sent is paid: it may still write down the answer."""
    frozen = await bench.claim(1)
    await bench.send(frozen.item)
    await bench.rescue()
    await bench.journal.move(frozen.item, "answered", **ANSWER)
    assert bench.states()[0] == ("answered", True, None)
    bench.journal.move_late(frozen.item, "saved")
    await bench.database.writer.write(releasing(frozen, queued=False))

    assert bench.states()[0] == ("saved", False, None)


async def test_an_answer_that_comes_too_late(tmp_path: Path, bench: Bench) -> None:
    """Where it was sent again, as asked, the first answer has no item any more."""
    frozen = await bench.claim(1)
    await bench.send(frozen.item)
    await bench.rescue()
    await enqueue(["a", "b"], bench.dsn, out=tmp_path, price=price, resend_unknown=True)
    heir = await bench.claim(2)
    assert heir.item.cost == 30_000_000
    await bench.send(heir.item)
    with pytest.raises(TakenError):
        await bench.journal.move(frozen.item, "answered", **ANSWER)

    assert bench.states()[0] == ("sent", True, 2)


async def test_a_refusal_that_comes_late(bench: Bench) -> None:
    """What turns out not to have run is free, and is put into the queue again."""
    frozen = await bench.claim(1)
    await bench.send(frozen.item)
    await bench.rescue()
    frozen.item.cost = 0
    bench.journal.move_soon(frozen.item, "pending")
    await bench.journal.aclose()
    change(bench.dsn, "DELETE FROM procrastinate_jobs")
    await bench.rescue()

    assert bench.states()[0] == ("pending", True, None)
    assert rows(bench.dsn, "cost")[0] == (0,)
    heir = await bench.claim(2)
    assert heir.item.state == "pending"


@pytest.mark.parametrize("state", ["failed", "unknown", "withheld", "saved"])
async def test_a_worker_that_dies_just_after_the_end(bench: Bench, state: Any) -> None:
    """An item that has ended is never sent again, however its worker ends."""
    dead = await bench.claim(1)
    await bench.send(dead.item)
    await bench.journal.move(dead.item, state)
    await bench.rescue()

    assert bench.states()[0] == (state, False, None)


async def test_a_budget_is_checked_with_the_intent(bench: Bench) -> None:
    """Of two at once only one fits; what the other had set aside is given back."""
    one, two = await bench.claim(1), await bench.claim(1, number=2)
    refused = list[BudgetExceededError]()

    async def send(item: Item) -> None:
        try:
            await bench.send(item)
        except BudgetExceededError as error:
            refused.append(error)

    async with anyio.create_task_group() as group:
        for each in (one, two):
            group.start_soon(send, each.item)

    assert len(refused) == 1
    assert "0.03 of 0.03 USD are spent" in str(refused[0])
    assert sorted(state for state, _, _ in bench.states()) == ["pending", "sent"]


async def test_a_deadlock_is_tried_again(bench: Bench) -> None:
    """Of two who wait for each other the server stops one, which begins again."""
    faults = [psycopg.errors.DeadlockDetected("deadlock detected")]

    def work(connection: Any) -> Any:
        if faults:
            raise faults.pop()
        return connection.execute("SELECT 1").fetchone()

    assert await bench.database.writer.write(work) == (1,)


async def test_items_are_written_by_those_who_claimed_them(bench: Bench) -> None:
    """An item that nobody claimed can't be moved."""
    with pytest.raises(TypeError, match="without being claimed"):
        await bench.journal.move(Item(1, 0, "pending", 0, 0, "{}"), "sent")


async def test_a_name_that_another_took(bench: Bench) -> None:
    """Two items of a job can't have the same file."""
    one, two = await bench.claim(1), await bench.claim(1, number=2)
    await bench.journal.move(one.item, "answered", **ANSWER)
    with pytest.raises(FileExistsError):
        await bench.journal.move(two.item, "answered", **ANSWER)
    answered = await bench.journal.left("answered")
    item, answer, names, _ = await bench.journal.reread(1)

    assert answered == {1: ["a.png"]}
    assert (item.state, answer, names) == ("answered", {}, ["a.png"])
