"""The journal: what it keeps through crashes, and what it refuses to open."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ideogram_async import GenerateV3, JournalError
from ideogram_async.jobs import Job
from ideogram_async.jobs._items import Item, Row, Terms
from ideogram_async.jobs._schema import VERSION
from ideogram_async.jobs._sqlite import SqliteJournal

from .shelves import FileShelf, ServerShelf, ignore, shelf
from .shop import selling, shop


ALL = Terms(("pending", "sent", "answered", "saved", "withheld", "failed", "unknown"))
MOVES: dict[str, tuple[Any, ...]] = {
    "pending": ("sent", "failed"),
    "sent": ("pending", "answered", "unknown"),
    "answered": ("saved", "withheld", "failed"),
    "failed": ("sent",),
    "unknown": ("sent",),
}


def row(number: int, name: str) -> Row:
    """Return a row of a source."""
    digest = hashlib.sha256(name.encode()).digest()
    asked = f'{{"type": "GenerateV3", "prompt": "{name}"}}'
    return number, digest, asked, GenerateV3(prompt=name)


class JournalMachine(RuleBasedStateMachine):
    """Works with a journal, copies it away as a crash would, and goes on."""

    def __init__(self, shelf: FileShelf | ServerShelf) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.shelf = shelf
        self.items: dict[int, Item] = {}
        self.expected: dict[int, str] = {}
        self.costs = Counter[int]()
        self.drawn = 0
        self.open()

    def open(self) -> None:
        """Open the journal as a new run."""
        self.journal = self.loop.run_until_complete(self.shelf.opened())
        self.items.clear()
        self.seen: Counter[str] = Counter()

    @rule(names=st.lists(st.sampled_from("abcd"), max_size=6))
    def admit(self, names: list[str]) -> None:
        """Draw rows; those that were there before are found again, each once."""
        known = set(self.expected)
        rows = [row(self.drawn + place, name) for place, name in enumerate(names)]
        self.drawn += len(names)
        admitted = self.loop.run_until_complete(self.journal.admit(rows, ALL))
        found = self.loop.run_until_complete(self.shelf.taken(admitted))
        assert [item.asked for item in found] == [row[2] for row in rows]
        for item in found:
            assert item.id not in self.items
            self.items[item.id] = item
            assert item.state == self.expected.setdefault(item.id, "pending")
            assert item.cost == self.costs[item.id]
        added = [item for item in found if item.id not in known]
        assert self.journal.added >= len(added)

    @precondition(lambda self: self.items)
    @rule(chance=st.randoms(use_true_random=False))
    def move(self, chance: Any) -> None:
        """Move one item on."""
        item = self.items[chance.choice(sorted(self.items))]
        if item.state in MOVES:
            state = chance.choice(MOVES[item.state])
            item.cost += state == "sent"
            columns = {"files": "[]", "answer": "{}"} if state == "answered" else {}
            self.loop.run_until_complete(self.journal.move(item, state, **columns))
            self.expected[item.id], self.costs[item.id] = state, item.cost

    @rule()
    def crash(self) -> None:
        """Go on with the files as they are at this instant."""
        self.loop.run_until_complete(self.shelf.crash())
        for number, state in self.expected.items():
            if state == "sent":
                self.expected[number] = "unknown"
        self.open()

    @rule(is_whole=st.booleans())
    def settle(self, is_whole: bool) -> None:  # noqa: FBT001  # hypothesis calls it
        """End a run, and begin the next one."""
        self.loop.run_until_complete(self.journal.settle(is_whole=is_whole))
        for number, state in list(self.expected.items()):
            if state == "sent":
                self.expected[number] = "unknown"
            is_new = state == "pending" and not self.costs[number]
            if is_whole and is_new and number not in self.items:
                del self.expected[number]
        self.loop.run_until_complete(self.shelf.aclose())
        self.open()

    @invariant()
    def counts_are_true(self) -> None:
        """The counts are those of the items."""
        counts = {state: n for state, n in self.journal.counts.items() if n}
        assert counts == Counter(self.expected.values())

    def teardown(self) -> None:
        """Clean up."""
        self.loop.run_until_complete(self.shelf.aclose())
        self.loop.run_until_complete(self.shelf.remove())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_nothing_that_was_written_is_lost(kind: str, dsn: str) -> None:
    """Nothing that was written is lost, wherever a run is cut off."""
    run_state_machine_as_test(
        lambda: JournalMachine(shelf(kind, dsn)),
        settings=settings(max_examples=15, stateful_step_count=20, deadline=None),
    )


async def made(path: Path) -> None:
    """Make a journal with many items."""
    journal = await SqliteJournal.opened(path, ignore)
    await journal.admit([row(n, f"name {n}") for n in range(500)], ALL)
    await journal.aclose()


def changed(path: Path, statement: str) -> None:
    """Run *statement* on the database at *path*."""
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()


def cut(path: Path) -> None:
    """Leave half of the file."""
    os.truncate(path, path.stat().st_size // 2)


def garble(path: Path) -> None:
    """Overwrite the pages in the middle."""
    content = bytearray(path.read_bytes())
    content[8192:40000] = bytes(31808)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (cut, "is damaged"),
        (garble, "is damaged"),
        (lambda path: path.write_bytes(b"no database" * 100), "is damaged"),
        (lambda path: path.write_bytes(b""), r"is damaged \(it is empty\)"),
        (
            lambda path: changed(path, f"PRAGMA user_version = {VERSION + 1}"),
            f"is a journal of version {VERSION + 1}, and this program knows version",
        ),
        (
            lambda path: changed(path, "PRAGMA application_id = 7"),
            "is no journal of ideogram",
        ),
    ],
)
async def test_journals_that_are_refused(
    tmp_path: Path, spoil: Callable[[Path], None], complaint: str
) -> None:
    """One line says what is wrong; nothing is sent, and the file stays as it is."""
    path = tmp_path / "journal.sqlite"
    await made(path)
    spoil(path)
    before = path.read_bytes()
    async with selling(shop()) as (server, client):
        with pytest.raises(JournalError, match=complaint) as raised:
            await Job(["a cat"], tmp_path).run(client)

    assert "\n" not in str(raised.value)
    assert server.requests == []
    assert path.read_bytes() == before


async def test_a_journal_that_another_process_holds(tmp_path: Path) -> None:
    """The lock of another process is heeded, and dies with it."""
    path = tmp_path / "journal.sqlite"
    await made(path)
    hold = (
        "import sys, pathlib; from ideogram_async.jobs._schema import connected;"
        f" held = connected(pathlib.Path({str(path)!r}));"
        " print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(  # noqa: ASYNC220  # a process to be killed
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(JournalError, match=f"another process works with {path}: "):
            await SqliteJournal.opened(path, ignore)
        process.kill()
    await (await SqliteJournal.opened(path, ignore)).aclose()


@pytest.mark.parametrize("error", [FileExistsError, PermissionError])
async def test_journals_on_disks_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    """A journal is made also without links; one that just appeared is used."""
    path = tmp_path / "journal.sqlite"

    def link(made: str, at: Path) -> None:
        if error is FileExistsError:
            at.write_bytes(Path(made).read_bytes())
        raise error

    monkeypatch.setattr(os, "link", link)
    await made(path)

    assert os.listdir(tmp_path) == ["journal.sqlite"]  # noqa: PTH208
    monkeypatch.undo()
    await made(path)
