"""Who works on an item: claimed, given back, and taken from workers that are dead."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any, Final

import attrs
import psycopg

from .._plain import build
from ..jobs._items import Reread
from ..jobs._writer import Work
from ..requests import REQUESTS, Request
from ..uploads import Upload
from ._admission import defer
from ._journal import Claimed
from ._schema import QUEUE


CLAIM: Final = """
UPDATE ideogram_items i SET owner = %(owner)s, claim = %(claim)s
FROM ideogram_jobs j
WHERE i.id = %(id)s AND j.id = i.job AND i.queued
    AND (i.owner IS NULL OR i.claim = %(claim)s)
RETURNING i.id, i.position, i.state, i.cost, i.unpriced, i.request, i.uploads, i.answer,
    i.files, i.price, i.job, j.revision
"""

RELEASE: Final = """
UPDATE ideogram_items SET owner = NULL, queued = %(queued)s,
    state = CASE state WHEN 'sent' THEN 'unknown' ELSE state END
WHERE id = %(id)s AND claim = %(claim)s AND owner IS NOT NULL
"""

RESCUE: Final = """
UPDATE ideogram_items i SET owner = NULL, queued = (queued AND state <> 'sent'),
    state = CASE state WHEN 'sent' THEN 'unknown' ELSE state END
WHERE owner IS NOT NULL AND NOT EXISTS (
    SELECT FROM procrastinate_workers w
    WHERE w.id = i.owner AND w.last_heartbeat > now() - make_interval(secs => %(ttl)s)
)
RETURNING i.job
"""
"""What a dead worker had sent may be paid: it is unknown. All else goes on."""

ORPHANS: Final = """
SELECT id FROM ideogram_items WHERE queued AND owner IS NULL AND NOT EXISTS (
    SELECT FROM procrastinate_jobs WHERE queue_name = %(queue)s AND status = 'todo'
) ORDER BY id FOR UPDATE SKIP LOCKED
"""
"""Items that nobody works on although the queue is empty: an entry of it was lost.

One that is just being taken may be among them; a second entry does no harm."""


@attrs.frozen
class Assignment:
    """An item that was claimed, and all that is needed to work on it.

    Attributes:
        item: The item.
        job: Number of its job.
        revision: How often the job's source was read.
        request: What is asked.
        known: What was answered before.
    """

    item: Claimed
    job: int
    revision: int
    request: Request[Any]
    known: Reread


def claiming(number: int, owner: int) -> Work[Assignment | None]:
    """Return what claims item *number* for the worker *owner*, if it is to be had."""
    claim = random.getrandbits(62)  # the same if it has to be written again

    def work(connection: psycopg.Connection[Any]) -> Assignment | None:
        given = {"id": number, "owner": owner, "claim": claim}
        row = connection.execute(CLAIM, given).fetchone()
        if row is None:
            return None
        item = Claimed(*row[:6], claim=claim)
        uploads, answer, files, price, job, revision = row[6:]
        files_of = [_upload(connection, each) for each in uploads or ()]
        request = remade(item.asked, files_of)
        answered = json.loads(answer or "null"), json.loads(files or "[]")
        return Assignment(item, job, revision, request, Reread(item, *answered, price))

    return work


def releasing(assignment: Assignment, *, queued: bool) -> Work[object]:
    """Return what gives an item back, to be worked on again if it is still *queued*."""
    item = assignment.item
    given = {"id": item.id, "claim": item.claim, "queued": queued}

    def work(connection: psycopg.Connection[Any]) -> None:
        connection.execute(RELEASE, given)
        changed(connection, [assignment.job])

    return work


def rescuing(ttl: float) -> Work[object]:
    """Return what takes their items from workers silent for *ttl* seconds."""

    def work(connection: psycopg.Connection[Any]) -> None:
        taken = connection.execute(RESCUE, {"ttl": ttl}).fetchall()
        changed(connection, sorted({job for (job,) in taken}))
        orphans = connection.execute(ORPHANS, {"queue": QUEUE}).fetchall()
        defer(connection, [number for (number,) in orphans])

    return work


def changed(connection: psycopg.Connection[Any], jobs: list[int]) -> None:
    """Note that the manifest of *jobs* is out of date."""
    connection.execute(
        "UPDATE ideogram_jobs SET is_published = false"
        " WHERE id = ANY (%s) AND is_published",
        (jobs,),
    )


def remade(asked: str, uploads: Iterable[Upload]) -> Request[Any]:
    """Return the request that was written down as *asked*, with its files."""
    fields: dict[str, Any] = json.loads(asked)
    kind = REQUESTS[fields.pop("type")]
    left = iter(uploads)
    return build(kind, fields, opened=lambda _: next(left))


def _upload(connection: psycopg.Connection[Any], described: dict[str, str]) -> Upload:
    name, media_type = described["filename"], described["media_type"]
    if "url" in described:
        return Upload.from_url(described["url"], name, media_type=media_type)
    found = connection.execute(
        "SELECT content FROM ideogram_uploads WHERE digest = %s",
        (bytes.fromhex(described["digest"]),),
    ).fetchone()
    content = (found or (b"",))[0]
    return Upload.from_bytes(bytes(content), name, media_type=media_type)
