"""How rows of a source become items of a job, and enter the queue with that."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

import attrs
import psycopg
from psycopg.types.json import Jsonb

from ..jobs._identity import uploads_of
from ..jobs._items import Item, Row, Terms
from ..requests import Request
from ..uploads import StreamSource, Upload, UrlSource
from ._schema import QUEUE, TASK


FIND: Final = """
WITH source AS (
    SELECT * FROM unnest(%(positions)s::bigint[], %(digests)s::bytea[], %(nths)s::int[])
    AS r (position, digest, nth)
), found AS (
    SELECT r.position, i.id
    FROM (SELECT digest, count(*) AS wanted FROM source GROUP BY digest) d
    CROSS JOIN LATERAL (
        SELECT id, row_number() OVER (ORDER BY seen, id) - 1 AS nth FROM (
            SELECT id, seen FROM ideogram_items
            WHERE job = %(job)s AND digest = d.digest AND seen < %(revision)s
            ORDER BY seen, id LIMIT d.wanted
        ) unseen
    ) i JOIN source r ON r.digest = d.digest AND r.nth = i.nth
)
UPDATE ideogram_items i SET position = found.position, seen = %(revision)s
FROM found WHERE i.id = found.id
RETURNING i.position, i.id, i.state, i.cost, i.unpriced
"""
"""Meets each row with the first equal item that no row was met with before."""

ADD: Final = """
INSERT INTO ideogram_items (job, position, digest, request, uploads, seen, queued)
SELECT %(job)s, position, digest, request, uploads, %(revision)s, true
FROM unnest(%(positions)s::bigint[], %(digests)s::bytea[], %(asked)s::text[],
    %(uploads)s::jsonb[]) AS r (position, digest, request, uploads)
RETURNING position, id
"""

RESUME: Final = """
UPDATE ideogram_items SET queued = true
WHERE id = ANY (%(ids)s) AND NOT queued AND owner IS NULL RETURNING id
"""

DEFER: Final = """
SELECT procrastinate_defer_jobs_v1(array_agg(
    ROW(%(queue)s, %(task)s, 0, NULL, NULL, jsonb_build_object('item', id), NULL)
    ::procrastinate_job_to_defer_v1 ORDER BY id
)) FROM unnest(%(ids)s::bigint[]) AS id
"""
"""What procrastinate itself calls to queue jobs."""


@attrs.frozen
class Admitted:
    """Rows that were found or added.

    Attributes:
        items: The items that are worked on, in the order of the rows.
        added: How many were not there before.
        duplicates: How many rows were left out.
    """

    items: list[Item]
    added: int
    duplicates: int


@attrs.frozen
class Admission:
    """One reading of the source of a job.

    Attributes:
        job: Number of the job.
        revision: Number of the reading.
        terms: How rows are matched.
    """

    job: int
    revision: int
    terms: Terms

    def admit(
        self, connection: psycopg.Connection[Any], rows: Sequence[Row]
    ) -> Admitted:
        """Find or add *rows*, and queue the items that are to be worked on."""
        wanted = self._without_duplicates(connection, rows)
        states = {row[0]: row for row in self._found(connection, wanted)}
        new = [row for row in wanted if row[0] not in states]
        for position, number in self._added(connection, new):
            states[position] = (position, number, "pending", 0, 0)
        asked = {row[0]: row[2] for row in wanted}
        items = [
            Item(number, position, state, cost, unpriced, asked[position])
            for position, number, state, cost, unpriced in sorted(states.values())
            if state in self.terms.states
        ]
        given = {"ids": [item.id for item in items]}
        resumed = [number for (number,) in connection.execute(RESUME, given)]
        defer(connection, [*resumed, *(states[row[0]][1] for row in new)])
        return Admitted(items, len(new), len(rows) - len(wanted))

    def _without_duplicates(
        self, connection: psycopg.Connection[Any], rows: Sequence[Row]
    ) -> list[Row]:
        if not self.terms.dedupe:
            return list(rows)
        seen = connection.execute(
            "SELECT DISTINCT digest FROM ideogram_items"
            " WHERE job = %s AND digest = ANY (%s) AND seen = %s",
            (self.job, [row[1] for row in rows], self.revision),
        )
        met = {bytes(digest) for (digest,) in seen}
        left = list[Row]()
        for row in rows:
            if row[1] not in met:
                met.add(row[1])
                left.append(row)
        return left

    def _found(
        self, connection: psycopg.Connection[Any], rows: Sequence[Row]
    ) -> list[Any]:
        if self.revision == 1:
            return []  # nothing was there before
        counted, nths = Counter[bytes](), list[int]()
        for row in rows:
            nths.append(counted[row[1]])
            counted[row[1]] += 1
        given = {
            "job": self.job,
            "revision": self.revision,
            "positions": [row[0] for row in rows],
            "digests": [row[1] for row in rows],
            "nths": nths,
        }
        return connection.execute(FIND, given).fetchall()

    def _added(
        self, connection: psycopg.Connection[Any], rows: Sequence[Row]
    ) -> list[Any]:
        if not rows:
            return []
        given = {
            "job": self.job,
            "revision": self.revision,
            "positions": [row[0] for row in rows],
            "digests": [row[1] for row in rows],
            "asked": [row[2] for row in rows],
            "uploads": [_kept(connection, row[3]) for row in rows],
        }
        return connection.execute(ADD, given).fetchall()


def defer(connection: psycopg.Connection[Any], ids: list[int]) -> None:
    """Put the items of *ids* into the queue."""
    if ids:
        connection.execute(DEFER, {"ids": ids, "queue": QUEUE, "task": TASK})


def _kept(connection: psycopg.Connection[Any], request: Request[Any]) -> Jsonb | None:
    """Keep the files of *request*, each content once, and return how to find them."""
    uploads = uploads_of(request)
    if not uploads:
        return None
    return Jsonb([_described(connection, upload) for upload in uploads])


def _described(
    connection: psycopg.Connection[Any], upload: Upload
) -> dict[str, str | None]:
    about = {"filename": upload.filename, "media_type": upload.media_type}
    if isinstance(upload.source, UrlSource):
        return {**about, "url": upload.source.url}
    content = _content(upload)
    digest = hashlib.sha256(content).digest()
    connection.execute(
        "INSERT INTO ideogram_uploads VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (digest, content),
    )
    return {**about, "digest": digest.hex()}


def _content(upload: Upload) -> bytes:
    source = cast("bytes | Path | StreamSource", upload.source)  # links were met before
    if isinstance(source, StreamSource):
        return source.read_at(0, source.size() or 0)
    return source if isinstance(source, bytes) else source.read_bytes()
