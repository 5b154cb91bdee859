"""The database of a `PostgresLimiter`: lost, silent, silent about others, and back."""

from __future__ import annotations

import asyncio
import logging
import sys

import psycopg
import pytest

from ideogram_async import ConfigurationError, PostgresLimiter
from ideogram_async._learning import Verdict
from ideogram_async.limiters import _postgres
from ideogram_async.limiters._ledger import Ledger
from ideogram_async.limiters._postgres import TABLE, PostgresStore
from ideogram_async.limiters._store import Change, UnreachableError
from tests.postgres import Postgres


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="another event loop")


def untouched(ledger: Ledger, now: float) -> set[str]:
    """Change nothing."""
    return set()


def store(dsn: str, key: str, wake: object = None, member: str = "m") -> PostgresStore:
    """Return a store in the database at *dsn*."""
    woken = asyncio.Event()
    return PostgresStore(
        dsn,
        key,
        places=10,
        member=member,
        wake=wake or woken.set,  # type: ignore[arg-type]
    )


async def until(caplog: pytest.LogCaptureFixture, text: str) -> None:
    """Wait until the log says *text*."""
    while text not in caplog.text:  # noqa: ASYNC110  # the log has no event
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "dsn",
    [
        *("postgres:/user:hidden@host", "hidden", "port=x hidden"),
        *(
            "postgresql://user:p@hidden@host/name",
            "postgresql://user:hidden/p@host/name",
        ),
        "postgresql://user:hidden%den@host/name",
    ],
)
def test_address_that_is_none(dsn: str) -> None:
    """A wrong address is named before anything runs, without the password in it."""
    with pytest.raises(
        ConfigurationError, match="dsn must be like postgresql:"
    ) as seen:
        PostgresLimiter(dsn, key="organisation")

    assert "hidden" not in str(seen.value)
    assert seen.value.__context__ is None


@pytest.mark.parametrize(
    "dsn",
    [
        *("host=@abstract", "postgresql://one:1,two/name", "service=x", ""),
        "postgresql://user:p%40ss%2Fword@host:5432/name",
    ],
)
def test_address_that_is_one(dsn: str) -> None:
    """Sockets, several hosts, and passwords that are percent-encoded are addresses."""
    PostgresLimiter(dsn, key="organisation")


def test_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without psycopg the error says what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(ConfigurationError, match=r"ideogram-async\[postgres\]"):
        PostgresLimiter("postgresql://host/name", key="organisation")


async def test_lost_database_and_back(
    postgres: Postgres, dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    """While the database is away each has its share; then they share again."""
    caplog.set_level(logging.WARNING, "ideogram_async")
    one = PostgresLimiter(dsn, key="lost", places=4)
    other = PostgresLimiter(dsn, key="lost", places=4)
    async with one, other:
        held = [await one.acquire(), await other.acquire(), await one.acquire()]
        waiting = asyncio.create_task(one.acquire(2))
        await asyncio.sleep(0.1)
        postgres.stop()
        other.release(held[1], Verdict.SERVED)
        await until(caplog, "this process goes on alone with 2 of 4 places")
        assert not waiting.done()
        one.release(held[0], Verdict.SERVED)
        one.release(held[2], Verdict.SERVED)
        held = [await waiting, await other.acquire(2)]
        postgres.server.ensure_postgres_running()
        while caplog.text.count("the shared limit is back") < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        lease = asyncio.create_task(one.acquire())
        await asyncio.sleep(0.1)
        assert (one.in_use, lease.done()) == (4, False)
        for limiter, each in zip((one, other), held, strict=True):
            limiter.release(each, Verdict.SERVED)
        one.release(await lease)

    assert "hidden" not in caplog.text


async def test_database_that_does_not_answer(
    dsn: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that hangs is broken off, and the event loop goes on meanwhile."""
    caplog.set_level(logging.WARNING, "ideogram_async")
    monkeypatch.setattr(_postgres, "PATIENCE", 1.0)
    async with (
        PostgresLimiter(dsn, key="held", places=4) as limiter,
        await psycopg.AsyncConnection.connect(dsn) as other,
    ):
        limiter.release(await limiter.acquire())
        await other.execute(f"SELECT * FROM {TABLE} FOR UPDATE")
        lease = await limiter.acquire(4)
        assert "goes on alone with 4 of 4 places" in caplog.text
        await other.rollback()
        await until(caplog, "the shared limit is back")
        limiter.release(lease)


async def test_database_that_does_not_answer_a_new_connection(
    dsn: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What prepares a connection holds nobody up either, such as making the table."""
    caplog.set_level(logging.WARNING, "ideogram_async")
    monkeypatch.setattr(_postgres, "PATIENCE", 1.0)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as other:
        await other.execute("SELECT pg_advisory_lock(1949106831)")
        async with PostgresLimiter(dsn, key="new", places=4) as limiter:
            lease = await limiter.acquire(4)
            assert "goes on alone with 4 of 4 places" in caplog.text
            await other.execute("SELECT pg_advisory_unlock_all()")
            await until(caplog, "the shared limit is back")
            limiter.release(lease)


async def test_connection_that_breaks_while_nothing_happens(dsn: str) -> None:
    """A connection that the server ends is replaced, and nobody notices."""
    async with (
        PostgresLimiter(dsn, key="idle", places=4) as limiter,
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as other,
    ):
        held = await limiter.acquire()
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        await asyncio.sleep(0.2)
        limiter.release(await limiter.acquire(3))
        limiter.release(held)
        assert limiter.limit == 4


async def test_row_that_somebody_deletes(dsn: str) -> None:
    """Members meet again in a new row."""
    async with (
        PostgresLimiter(dsn, key="deleted", places=4) as limiter,
        await psycopg.AsyncConnection.connect(dsn, autocommit=True) as other,
    ):
        held = await limiter.acquire(3)
        await other.execute(f"DELETE FROM {TABLE}")
        limiter.release(await limiter.acquire())
        waiting = asyncio.create_task(limiter.acquire(4))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        limiter.release(held)
        limiter.release(await waiting)


async def test_something_else_in_the_row(dsn: str) -> None:
    """A row that holds no ledger is left alone."""
    opened = store(dsn, "nonsense")
    await opened.change(untouched)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as other:
        await other.execute(f"UPDATE {TABLE} SET ledger = 'nonsense'")

    with pytest.raises(UnreachableError, match="there is something else in its place"):
        await opened.change(untouched)
    await opened.aclose()


async def test_notifications_make_questions_needless(dsn: str) -> None:
    """Until one is heard it asks; it wakes for its own name, and not for others."""
    woken = list[str]()
    one = store(dsn, "notified", lambda: woken.append("a"), "a")
    two = store(dsn, "notified", lambda: woken.append("b"), "b")
    await one.change(untouched)
    await two.change(untouched)
    before = one.has_news()

    await two.change(lambda ledger, now: {"c"})
    while one.has_news():  # noqa: ASYNC110  # that is what it is about
        await asyncio.sleep(0.01)
    quiet = [*woken]
    await two.change(lambda ledger, now: {"a", "c"})
    while not woken:  # noqa: ASYNC110  # as above
        await asyncio.sleep(0.01)
    await one.aclose()
    await two.aclose()

    assert (before, quiet, woken) == (True, [], ["a"])


async def test_notification_within_a_transaction_is_news(dsn: str) -> None:
    """What comes with the end of a transaction is not lost, nor kept for ever."""
    one = store(dsn, "within", member="a")
    with psycopg.connect(dsn, autocommit=True) as other:

        def told(name: str) -> Change:
            def change(ledger: Ledger, now: float) -> set[str]:
                other.execute("SELECT pg_notify(%s, %s)", (one._channel, name))
                return set()

            return change

        await one.change(untouched)
        other.execute("SELECT pg_notify(%s, 'b')", (one._channel,))
        while one.has_news():  # noqa: ASYNC110  # it hears of the first
            await asyncio.sleep(0.01)
        await one.change(told("b"))
        quiet = one.has_news()
        await one.change(told("a"))
        news = one.has_news()
    await one.change(untouched)
    settled = one.has_news()
    kept = vars(one._connection).get("_notifies_backlog")
    await one.aclose()

    assert (quiet, news, settled, bool(kept)) == (False, True, False, False)


async def test_pooler_that_swallows_notifications(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind pgbouncer, where none comes through, looking every so often does."""
    monkeypatch.setattr(PostgresStore, "_listen", lambda store, connection: None)
    async with (
        PostgresLimiter(dsn, key="pooler") as one,
        PostgresLimiter(dsn, key="pooler") as other,
    ):
        held = await one.acquire(10)
        waiting = asyncio.create_task(other.acquire(10))
        await asyncio.sleep(0.1)
        one.release(held)
        other.release(await waiting)
