"""The commands of jobs that run on several machines."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import sleep
from typing import Any, Final

import attrs

from .._settings import named
from ..client import IdeogramClient
from ..distributed import JobStatus, Status, Worker, enqueue, status
from ..errors import (
    AuthenticationError,
    ConfigurationError,
    IdeogramError,
    InsufficientFundsError,
    one_line,
)
from ..jobs import Problem
from ..limiters import PostgresLimiter
from ._gallery import write_gallery
from ._parser import DSN
from ._progress import length
from ._run import PAGE, interruptible, interrupts, tell_problems


BETWEEN: Final = 2.0
"""Seconds between two looks at a fleet."""

SHOWN: Final = 20
"""Unknown items that are printed."""


def enqueued(arguments: argparse.Namespace, rows: Iterable[Any], total: int) -> bool:
    """Enqueue *rows*, print what was done, and return whether all rows are sound."""
    provider = named(arguments.provider).name
    done = asyncio.run(
        enqueue(
            rows,
            _dsn(arguments),
            out=arguments.out,
            client=IdeogramClient("none", provider=provider),
            budget=arguments.budget,
            allow_unknown_price=arguments.allow_unknown_price,
            resend_unknown=arguments.resend_unknown,
            retry_failed=arguments.retry_failed,
            dedupe=arguments.dedupe,
            limit=arguments.limit,
            embed_prompt=arguments.embed_prompt,
            asynchronous=arguments.asynchronous,
            webhook_url=arguments.webhook_url,
            total=total,
            dry_run=arguments.dry_run,
        )
    )
    tell_problems(done.problems)
    counts = {state: number for state, number in done.counts.items() if number}
    known = ", ".join(f"{number} {state}" for state, number in counts.items())
    print(f"{done.rows} rows: {known or 'nothing to do'}")
    if done.duplicates:
        print(f"left out: {done.duplicates} rows equal to an earlier one")
    if done.removed:
        print(f"no longer in the file: {done.removed} prompts that were never sent")
    does = "would queue" if arguments.dry_run else "queued"
    print(f"{does} {done.queued} requests; cost: {done.cost}")
    if done.error is not None:
        print(f"the prompts end early: {one_line(str(done.error))}", file=sys.stderr)
    return done.error is None and not done.invalid


def limiter(arguments: argparse.Namespace) -> PostgresLimiter:
    """Return the limiter that all workers of a database share, one of each provider."""
    provider = named(arguments.provider)
    return PostgresLimiter(_dsn(arguments), key=provider.name, places=provider.places)


def worked(arguments: argparse.Namespace, client: IdeogramClient) -> bool:
    """Be a worker until a signal, and return whether nothing else ended it."""
    for name in ("procrastinate", "psycopg.pool"):  # the worker says what matters
        logging.getLogger(name).addHandler(logging.NullHandler())
    worker = Worker(
        client,
        _dsn(arguments),
        concurrency=arguments.concurrency,
        ttl=arguments.ttl,
        until_done=arguments.until_done,
        on_problem=_tell_problem,
        on_published=_add_page,
    )

    async def work() -> IdeogramError | None:
        async with client:
            with interruptible(interrupts(worker, _say)):
                try:
                    await worker.run()
                except (AuthenticationError, InsufficientFundsError) as error:
                    return error
                return None

    return _ended_well(asyncio.run(work()))


def _ended_well(error: IdeogramError | None) -> bool:
    if error is not None:
        _say(f"ended early: {error}")
    return error is None


def tell_status(arguments: argparse.Namespace) -> None:
    """Print how far a fleet is; with `--watch`, until it is done."""
    last = ""
    while True:
        found = asyncio.run(status(_dsn(arguments), out=arguments.out))
        text = json.dumps(_plain(found)) if arguments.json else "\n".join(_lines(found))
        if text != last:
            print(text, flush=True)
            last = text
        if found.is_done or not arguments.watch:
            return
        sleep(BETWEEN)


def _lines(found: Status) -> Iterable[str]:
    workers = "1 worker" if found.workers == 1 else f"{found.workers} workers"
    yield f"{workers} alive"
    for job in found.jobs:
        yield f"{one_line(job.out)}: {job.ended}/{job.total}: {', '.join(_parts(job))}"
        for each in job.unknown[:SHOWN]:
            prompt = each.request.get("prompt", "")
            what = one_line(f"#{each.position} {prompt!r:.70}")
            yield f"  unknown: {what}: it may be paid; --resend-unknown sends it again"
        if job.counts["unknown"] > SHOWN:
            yield f"  unknown: {job.counts['unknown'] - SHOWN} more, see the manifest"


def _parts(job: JobStatus) -> Iterable[str]:
    counts = job.counts
    yield f"{counts['saved']} saved"
    yield f"{counts['failed']} failed"
    for state in ("withheld", "unknown", "sent", "answered"):
        if counts[state]:
            yield f"{counts[state]} {state}"
    if job.unit is not None:
        budget = "" if job.budget is None else f" of {job.budget:f}"
        yield f"{job.spent:f}{budget} {job.unit}"
    yield f"{job.rate:.1f}/s"
    if job.remaining:
        yield f"{length(job.remaining)} left"


def _plain(found: Status) -> Any:
    def plain(_: object, __: object, value: Any) -> Any:
        return str(value) if isinstance(value, Decimal) else value

    serialized = partial(attrs.asdict, value_serializer=plain)
    return {**serialized(found), "is_done": found.is_done}


def _add_page(manifest: Path) -> list[Path]:
    """Write the page of the pictures beside *manifest*."""
    page = manifest.with_name(PAGE)
    write_gallery(manifest, page)
    return [page]


def _tell_problem(problem: Problem) -> None:
    tell_problems([problem])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _dsn(arguments: argparse.Namespace) -> str:
    dsn = arguments.dsn or os.environ.get(DSN)
    if not dsn:
        raise ConfigurationError(
            f"which database? give --dsn postgresql://host/name, or set {DSN}"
        )
    return str(dsn)
