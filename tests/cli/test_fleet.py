"""The commands enqueue, worker and status."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ideogram_async.cli import _fleet as fleet
from ideogram_async.cli import main
from ideogram_async.costs import UNKNOWN
from ideogram_async.distributed import enqueue
from ideogram_async.sandbox import Sandbox

from ..distributed.crew import change, rows, states


SMALL = ("--resolution", "1536x512")


@pytest.fixture
def database(dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name a database in the environment."""
    monkeypatch.setenv("IDEOGRAM_DSN", dsn)
    return dsn


def test_from_prompts_to_pictures(
    folder: Path, sandbox: Sandbox, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file is enqueued, a worker makes it, and the status tells so."""
    Path("p.csv").write_text("prompt,seed\na cat,1\na dog,2\nbad,-1\na cat,1\n")
    call = ("enqueue", "p.csv", "--out", "out", "--budget", "1", *SMALL)
    assert main([*call, "--dry-run"]) == 1
    assert "would queue 3 requests; cost: 0.18 USD" in capsys.readouterr().out
    assert main([*call, "--dedupe"]) == 1
    told = capsys.readouterr()
    assert "bad row: p.csv:4: seed must be in" in told.err
    assert "4 rows: 2 pending\nleft out: 1 rows equal to an earlier one" in told.out
    assert "queued 2 requests; cost: 0.12 USD" in told.out
    assert main(["status"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("0 workers alive\nout: 0/2: 0 saved, 0 failed, ")
    assert main(["worker", "--until-done", "--ttl", "1"]) == 0
    assert main(["status", "--watch"]) == 0
    told = capsys.readouterr()
    assert "out: 2/2: 2 saved, 0 failed, 0.12 of 1 USD, " in told.out
    assert {path.name for path in Path("out").iterdir()} == {
        "0000-1.png", "0001-2.png", "index.html", "manifest.jsonl"
    }  # fmt: skip
    assert sandbox.ledger.times_billed == {"a cat": 1, "a dog": 1}


def test_a_changed_file(
    folder: Path, sandbox: Sandbox, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is gone from the file is forgotten, and that is told."""
    Path("p.txt").write_text("a\nb\n")
    assert main(["enqueue", "p.txt", "--out", "out", "--strict"]) == 0
    Path("p.txt").write_text("a\n")
    assert main(["enqueue", "p.txt", "--out", "out"]) == 0

    assert "no longer in the file: 1 prompts" in capsys.readouterr().out


def test_what_is_unknown_is_told(
    folder: Path,
    database: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unknown items are listed, the first few of them; as JSON all of it is told."""
    prompts = [f"prompt {number}" for number in range(5)]
    asyncio.run(enqueue(prompts, database, out="out", price=lambda _: UNKNOWN))
    change(
        database,
        "UPDATE ideogram_items SET state = 'unknown', moved_at = now(),"
        " queued = false WHERE position < 4",
    )
    capsys.readouterr()
    monkeypatch.setattr(fleet, "SHOWN", 3)
    assert main(["status", "--out", "out"]) == 0
    told = capsys.readouterr().out
    assert main(["status", "--json"]) == 0
    known = json.loads(capsys.readouterr().out)

    assert "unknown: #2 'prompt 2': it may be paid; --resend-unknown" in told
    assert "unknown: 1 more, see the manifest" in told
    assert "15 s left" in told
    (job,) = known["jobs"]
    assert job["counts"]["unknown"] == 4
    assert [each["position"] for each in job["unknown"]] == [0, 1, 2, 3]
    assert (job["left"], known["is_done"], known["workers"]) == (1, False, 0)


def test_a_status_that_is_watched(
    folder: Path,
    database: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is told again where it has changed, until all is done."""
    Path("p.txt").write_text("a\n")
    assert main(["enqueue", "p.txt", "--out", "out"]) == 0
    capsys.readouterr()
    steps = iter(
        (
            "UPDATE ideogram_items SET attempts = 1",
            "UPDATE ideogram_items SET queued = false, state = 'saved'",
        )
    )
    monkeypatch.setattr(fleet, "sleep", lambda _: change(database, next(steps)))
    assert main(["status", "--watch"]) == 0

    assert capsys.readouterr().out.count("1 saved") == 1


def test_calls_that_are_wrong(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line says what is missing."""
    monkeypatch.delenv("IDEOGRAM_DSN", raising=False)
    assert main(["status"]) == 2
    assert "give --dsn postgresql://host/name, or set" in capsys.readouterr().err
    Path("p.txt").write_text("")
    assert main(["enqueue", "p.txt", "--out", "out", "--dsn", "x"]) == 2
    assert "no prompts in it" in capsys.readouterr().err


def test_a_file_that_ends_early(
    folder: Path,
    database: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file that can't be read to its end is told."""
    Path("p.txt").write_text("a\nb\n")

    def failing(_: object) -> object:
        yield from ()
        raise OSError("the disk is gone")

    monkeypatch.setattr("ideogram_async.cli._commands._rows", failing)
    assert main(["enqueue", "p.txt", "--out", "out"]) == 1
    assert "the prompts end early: the disk is gone" in capsys.readouterr().err


def test_a_worker_that_can_not_go_on(
    folder: Path,
    sandbox: Sandbox,
    database: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says why it ended, and what has no image."""
    Path("p.txt").write_text("a forbidden cat\n")
    assert main(["enqueue", "p.txt", "--out", "out", *SMALL]) == 0
    assert main(["worker", "--until-done", "--ttl", "1"]) == 0
    assert "failed: #0 'a forbidden cat': " in capsys.readouterr().err
    Path("p.txt").write_text("a cat\n")
    assert main(["enqueue", "p.txt", "--out", "out", *SMALL]) == 0
    change(database, "UPDATE ideogram_jobs SET out = 'nowhere://out'")
    assert main(["worker", "--ttl", "1"]) == 2
    assert "can't use nowhere://out: " in capsys.readouterr().err
    change(database, "UPDATE ideogram_jobs SET out = 'out'")
    with Sandbox(api_key="right").running() as strict:
        monkeypatch.setenv("IDEOGRAM_BASE_URL", strict.url)
        assert main(["worker", "--ttl", "1"]) == 1
    assert "ended early: " in capsys.readouterr().err


def test_a_signal_to_end(folder: Path, database: str) -> None:
    """The first signal lets what is under way end, and nothing is unknown."""
    Path("p.txt").write_text("\n".join(f"prompt {number}" for number in range(20)))
    assert main(["enqueue", "p.txt", "--out", "out", *SMALL]) == 0
    with Sandbox(latency=0.5).running() as sandbox:
        worker = subprocess.Popen(
            [sys.executable, "-m", "ideogram_async", "worker", "--concurrency", "3"],
            env=os.environ
            | {"IDEOGRAM_BASE_URL": sandbox.url, "IDEOGRAM_API_KEY": "a key"},
            stderr=subprocess.PIPE,
            text=True,
        )
        while not states(database)["sent"]:
            assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        _, told = worker.communicate()

    assert worker.returncode == 0
    assert "stopping: waiting for what is paid; Ctrl-C again to leave it" in told
    left = states(database)
    assert left["saved"] == sandbox.ledger.times_billed.total() > 0
    assert set(left) == {"saved", "pending"}
    assert not any(owner for (owner,) in rows(database, "owner"))
