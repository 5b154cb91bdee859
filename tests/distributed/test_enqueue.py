"""Enqueuing: what becomes an item, what is left out, and what is refused."""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest
from hypothesis import given, settings

from ideogram_async import (
    ConfigurationError,
    GenerateV3,
    IdeogramClient,
    JournalError,
    Request,
)
from ideogram_async._codec import to_jsonable
from ideogram_async.distributed import enqueue
from ideogram_async.distributed._claims import remade
from ideogram_async.distributed._database import Database
from ideogram_async.distributed._enqueue import opened_for_reading
from ideogram_async.jobs._identity import described, uploads_of
from ideogram_async.jobs._items import as_text

from .. import strategies
from ..jobs.shelves import ignore
from ..jobs.shop import price
from .crew import change, rows


async def test_rows_of_all_kinds(dsn: str) -> None:
    """Bad rows are named; equal ones are items of their own, unless left out."""
    source = ["a", "a", 7, GenerateV3("b"), ValueError("p.csv:5: a bad row")]
    first = await enqueue(source, dsn, out="one", price=price)
    second = await enqueue(source, dsn, out="two", dedupe=True)
    again = await enqueue(["a", "a"], dsn, out="two", dedupe=True)

    assert (first.rows, first.queued, first.added, first.invalid) == (5, 3, 3, 2)
    assert str(first.cost) == "0.09 USD"
    assert [each.position for each in first.problems] == [2, 4]
    assert (second.added, second.duplicates) == (2, 1)
    assert (again.added, again.duplicates, again.removed) == (0, 1, 1)
    assert [position for (position,) in rows(dsn, "position")] == [0, 1, 3, 0]


async def test_many_bad_rows(dsn: str) -> None:
    """All bad rows are counted, and the first of them named."""
    done = await enqueue(range(60), dsn, out="out")

    assert (done.invalid, len(done.problems), done.queued) == (60, 50, 0)


async def test_a_source_that_changes(dsn: str) -> None:
    """Items are known by content: what is gone is forgotten, what is new is added."""
    await enqueue(["a", "b", "c"], dsn, out="out")
    again = await enqueue(["x", "c", "a", "a"], dsn, out="out", limit=3)

    assert (again.added, again.removed, again.queued) == (1, 0, 3)
    whole = await enqueue(["x", "c", "a"], dsn, out="out")
    assert (whole.added, whole.removed) == (0, 1)
    prompts = "position, request::json ->> 'prompt'"
    assert sorted(rows(dsn, prompts)) == [(0, "x"), (1, "c"), (2, "a")]


async def test_sources_that_are_drawn(dsn: str) -> None:
    """Generators and async iterables are drawn; one that fails ends early."""

    def failing() -> Generator[str]:
        yield "a"
        raise OSError("the file is gone")

    async def flowing() -> AsyncGenerator[str]:
        for prompt in "abc":
            yield prompt

    failed = await enqueue(failing(), dsn, out="one", total=2)
    flowed = await enqueue(flowing(), dsn, out="two", client=IdeogramClient("none"))

    assert str(failed.error) == "the file is gone"
    assert failed.added == 1
    assert flowed.added == 3


async def test_many_rows(dsn: str) -> None:
    """More rows than a page has are written, each once, in their order."""
    done = await enqueue((f"prompt {n}" for n in range(2500)), dsn, out="out")
    again = await enqueue((f"prompt {n}" for n in range(2500)), dsn, out="out")

    assert (done.added, again.added, again.removed) == (2500, 0, 0)
    assert [n for (n,) in rows(dsn, "position")] == list(range(2500))


async def test_a_dry_run(dsn: str) -> None:
    """It tells what would be done, and nothing is written."""
    done = await enqueue(["a", "b"], dsn, out="out", dry_run=True, price=price)

    assert (done.added, done.queued, str(done.cost)) == (2, 2, "0.06 USD")
    assert rows(dsn, "id") == []


async def test_two_at_once(dsn: str) -> None:
    """The same job is enqueued by one at a time."""
    database = await Database.opened(dsn, ignore, patience=0)
    await opened_for_reading(database, "out", {})
    with pytest.raises(JournalError, match="another process enqueues out: wait"):
        await enqueue(["a"], dsn, out="out")
    await database.aclose()

    assert (await enqueue(["a"], dsn, out="out")).added == 1


async def test_databases_that_are_refused(dsn: str) -> None:
    """One line says what is wrong with a database, and doesn't show its password."""
    secret = "postgresql://someone:hunter2@127.0.0.1:1/none"
    with pytest.raises(JournalError, match="can't use the database: ") as raised:
        await enqueue(["a"], secret, out="out")
    assert "hunter2" not in str(raised.value)
    assert "\n" not in str(raised.value)
    for wrong in (
        "postgres:/someone:hunter2@host",
        "postgresql://one:x@hunter2@host/n",
    ):
        with pytest.raises(ConfigurationError, match="dsn must be like") as wrongly:
            await enqueue(["a"], wrong, out="out")
        assert "hunter2" not in str(wrongly.value)
    change(dsn, "COMMENT ON TABLE ideogram_jobs IS 'version 99'")
    with pytest.raises(JournalError, match="of version 99, and this program knows"):
        await enqueue(["a"], dsn, out="out")


async def test_a_database_that_fails_meanwhile(dsn: str) -> None:
    """An enqueuing that loses its database ends, and can be done again."""

    def losing() -> Generator[str]:
        yield from (f"prompt {n}" for n in range(1500))
        change(
            dsn,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()",
        )
        yield "the last"

    with pytest.raises(JournalError, match="the journal can't be written: "):
        await enqueue(losing(), dsn, out="out")
    again = await enqueue([f"prompt {n}" for n in range(1500)], dsn, out="out")

    assert again.added == 500


@settings(max_examples=100, deadline=None)
@given(strategies.requests())
def test_requests_are_remade(request: Request[Any]) -> None:
    """A request that was written down is the same again."""
    again = remade(as_text(described(request)), uploads_of(request))

    assert again == request
    assert to_jsonable(again) == to_jsonable(request)


def test_packages_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without procrastinate or psycopg, one line names the extra."""
    monkeypatch.delitem(sys.modules, "ideogram_async.distributed")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    extra = r"pip install 'ideogram-async\[distributed\]'"
    with pytest.raises(ConfigurationError, match=extra):
        importlib.import_module("ideogram_async.distributed")
