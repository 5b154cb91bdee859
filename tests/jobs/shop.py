"""A server that sells pictures: answers with links to itself, and serves the files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from ideogram_async import Cost, IdeogramClient, Limiter
from ideogram_async.jobs import Report

from ..servers import PNG, Act, Server, Visit, answer_body, client_of


PRICE = Cost(Decimal("0.03"), "USD")
FOREVER = 4102444800
PROMPTS = [f"prompt {number}" for number in range(12)]


def price(_: object) -> Cost:
    """Return the same price for every request."""
    return PRICE


async def picture(visit: Visit) -> None:
    """Serve a picture."""
    visit.send(200, PNG)


def shop(
    special: Mapping[str, Act] | None = None,
    *,
    seconds: float = 0.0,
    shelf: Act = picture,
    **fields: Any,
) -> Act:
    """Sell pictures; prompts in *special* meet another act, downloads meet *shelf*."""
    acts = special or {}

    async def act(visit: Visit) -> None:
        if visit.seen.method == "GET":
            await shelf(visit)
            return
        await visit.read()
        prompt = visit.seen.prompt
        if prompt in acts:
            await acts[prompt](visit)
            return
        await visit.run(seconds=seconds)
        link = f"{visit.server.url}/{len(visit.server.requests)}.png?exp={FOREVER}"
        visit.send(200, answer_body(prompt, **{"url": link, **fields}))

    return act


@asynccontextmanager
async def selling(
    *acts: Act, **options: Any
) -> AsyncGenerator[tuple[Server, IdeogramClient]]:
    """Open a shop, and make its client."""
    options = {"limiter": Limiter(4, learn=False)} | options
    async with Server(*acts) as server, client_of(server.url, **options) as client:
        yield server, client


def manifest(out: Path) -> dict[int, dict[str, Any]]:
    """Return the lines of the manifest by their index."""
    lines = (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return {line["index"]: line for line in map(json.loads, lines)}


def rows(out: Path, columns: str) -> list[Any]:
    """Return *columns* of all items of the journal."""
    with closing(sqlite3.connect(out / "journal.sqlite")) as journal:
        return journal.execute(f"SELECT {columns} FROM items ORDER BY id").fetchall()


def files(out: Path) -> set[str]:
    """Return the names of what is in *out*."""
    return {path.name for path in out.iterdir()}


def states(report: Report) -> dict[str, int]:
    """Return the counts that aren't 0."""
    return {state: number for state, number in report.counts.items() if number}
