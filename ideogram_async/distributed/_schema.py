"""The tables: what is asked, how far each item is, and who works on it.

The queue beside them is procrastinate's, in the same database, so that an item and its
place in the queue are written in one transaction.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from procrastinate import App, SyncPsycopgConnector
from psycopg import sql

from ..errors import JournalError


VERSION: Final = 1

LOCK: Final = 0x1D306A6F
"""Of those who make the tables, one at a time."""

QUEUE: Final = "ideogram"
TASK: Final = "ideogram_async.item"

TABLES: Final = """
CREATE TABLE ideogram_jobs (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    out text NOT NULL UNIQUE,
    total bigint,
    budget bigint,
    spent bigint NOT NULL DEFAULT 0,
    unit text,
    allow_unknown_price boolean NOT NULL DEFAULT false,
    embed_prompt boolean NOT NULL DEFAULT false,
    webhook_url text,
    revision integer NOT NULL DEFAULT 0,
    is_published boolean NOT NULL DEFAULT true,
    marks text NOT NULL DEFAULT ''
);
CREATE TABLE ideogram_items (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    job bigint NOT NULL REFERENCES ideogram_jobs,
    digest bytea NOT NULL,
    position bigint NOT NULL,
    state text NOT NULL DEFAULT 'pending',
    cost bigint NOT NULL DEFAULT 0,
    unpriced integer NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    provider text,
    request text NOT NULL,
    uploads jsonb,
    answer text,
    files text,
    error text,
    price bigint,
    moved_at timestamptz,
    seen integer NOT NULL,
    queued boolean NOT NULL,
    owner bigint,
    claim bigint
);
CREATE INDEX ideogram_items_by_digest ON ideogram_items (job, digest, seen, id);
CREATE INDEX ideogram_items_by_state ON ideogram_items (job, state);
CREATE INDEX ideogram_items_queued ON ideogram_items (job) WHERE queued;
CREATE INDEX ideogram_items_owned ON ideogram_items (owner) WHERE owner IS NOT NULL;
CREATE UNIQUE INDEX ideogram_items_by_file
    ON ideogram_items (job, ((files::jsonb) ->> 0));
CREATE TABLE ideogram_uploads (digest bytea PRIMARY KEY, content bytea NOT NULL);
"""
"""Money is in billionths. `seen` is the revision of the job in which the source had the
item. `queued` says whether it is still to be worked on: it is no more in the write in
which it ends. `owner` is the worker that works on it, and `claim` a number that only
the latest of those who took the item know."""


MARK: Final = sql.SQL("COMMENT ON TABLE ideogram_jobs IS {}")


def prepare(connection: psycopg.Connection[Any], dsn: str) -> None:
    """Make the tables, ours and the queue's, where they are missing.

    Raises:
        JournalError: They are of another version.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        if _named(connection, "procrastinate_jobs") is None:
            with App(connector=SyncPsycopgConnector(conninfo=dsn)).open() as opened:
                opened.schema_manager.apply_schema()
        if _named(connection, "ideogram_jobs") is None:
            connection.execute(TABLES)
            connection.execute(MARK.format(sql.Literal(f"version {VERSION}")))
    found = connection.execute("SELECT obj_description('ideogram_jobs'::regclass)")
    version = (found.fetchone() or (None,))[0]
    if version != f"version {VERSION}":
        raise JournalError(
            f"the tables of the database are of {version}, and this program knows"
            f" version {VERSION}: update ideogram-async; nothing was changed"
        )


def _named(connection: psycopg.Connection[Any], table: str) -> object:
    found = connection.execute("SELECT to_regclass(%s)", (table,)).fetchone()
    return (found or (None,))[0]
