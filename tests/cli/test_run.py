"""`run`: what it says, what it goes on with, and what it leaves."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest
from PIL import Image

from ideogram_async import Cost, DownloadError
from ideogram_async.cli import main
from ideogram_async.cli._run import tell, tell_plan
from ideogram_async.jobs import Job, Plan, Problem, Report, State
from ideogram_async.sandbox import Sandbox

from .asked import manifest


def test_failures_are_named(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failed prompt is named, the others are saved, and the exit code is 1."""
    (folder / "p.txt").write_text("a cat\nforbidden fruit\nwithheld\n")
    code = main(["run", "p.txt"])

    said = capsys.readouterr()
    cat, fruit, withheld = manifest(folder / "out")
    page = (folder / "out/index.html").read_text(encoding="utf-8")
    assert code == 1
    assert "failed: #1 'forbidden fruit': 422: Prompt provided failed" in said.err
    assert "1 images; 2 of 3 prompts done, 1 withheld" in said.out
    assert cat["error"] is None
    assert fruit["error"]["type"] == "SafetyError"
    assert (fruit["response"], fruit["files"]) == (None, [])
    assert (withheld["files"], withheld["error"]) == ([None], None)
    assert "1 image withheld by the service" in page


def test_a_batch_that_is_doomed(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """When the credit ends, what was paid is saved and the rest is reported."""
    sandbox.service.balance = 5
    (folder / "p.txt").write_text("".join(f"prompt {n}\n" for n in range(40)))
    code = main(["run", "p.txt"])

    said = capsys.readouterr()
    lines = manifest(folder / "out")
    assert code == 1
    assert len(lines) == 5
    assert {line["state"] for line in lines} == {"saved"}
    assert "402: Not enough credit. (insufficient_funds)" in said.err
    assert "not sent: 35 prompts" in said.err
    assert "5 images; 5 of 40 prompts done" in said.out


def test_failures_beyond_the_listed_ones(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of very many failures the first ones are named; the manifest names all."""
    (folder / "p.txt").write_text("forbidden\n" * 60)
    code = main(["run", "p.txt"])

    assert code == 1
    assert "failed or unknown: 10 more, see the manifest" in capsys.readouterr().err
    assert len(manifest(folder / "out")) == 60


def test_run_goes_on(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run pays for nothing again, and says what the file has no more."""
    (folder / "p.txt").write_text("a cat\na dog\na cat\n")
    assert main(["run", "p.txt", "--limit", "1"]) == 0
    assert main(["run", "p.txt", "--dedupe"]) == 0
    assert "left out: 1 rows equal to an earlier one" in capsys.readouterr().err
    assert main(["run", "p.txt"]) == 0
    assert len(sandbox.ledger.charges) == 3
    assert main(["run", "p.txt", "--no-resume", "--concurrency", "1"]) == 0

    assert len(sandbox.ledger.charges) == 6
    assert (folder / "out/journal.1.sqlite").is_file()


def test_the_demo_is_not_the_real_thing(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was drawn in a demo is not paid, and still sent to the service later."""
    (folder / "p.txt").write_text("a cat\n")
    assert main(["run", "p.txt", "--sandbox"]) == 0
    assert "1 of 1 prompts done, 0.06 USD if it were real" in capsys.readouterr().out
    assert main(["run", "p.txt"]) == 0

    assert len(sandbox.ledger.charges) == 1


def test_dry_run(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run tells what would be sent; it sends and writes nothing."""
    (folder / "p.txt").write_text("a cat\na cat\na dog\n")
    assert main(["run", "p.txt", "--dry-run", "--dedupe"]) == 0

    said = capsys.readouterr().out
    assert "3 rows: 2 pending\n" in said
    assert "left out: 1 rows equal to an earlier one" in said
    assert "would send 2 requests; cost: " in said
    assert "  GenerateV3(prompt='a cat')\n" in said
    assert sandbox.ledger.charges == []
    assert not (folder / "out").exists()


def test_a_dry_run_needs_no_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What would be sent, and its price, is told without a key or a sandbox."""
    monkeypatch.delenv("IDEOGRAM_API_KEY", raising=False)
    (folder / "p.txt").write_text("a cat\n")
    for options in ([], ["--sandbox"], ["--provider", "aihubmix"]):
        assert main(["run", "p.txt", "--dry-run", *options]) == 0
        assert "would send 1 requests; cost: 0.06 USD" in capsys.readouterr().out
    assert os.listdir() == ["p.txt"]  # noqa: PTH208


def test_a_page_that_can_not_be_written(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pictures are there, and one line says what is not."""
    (folder / "out/index.html").mkdir(parents=True)

    assert main(["generate", "a cat"]) == 1
    said = capsys.readouterr()
    assert "1 images; 1 of 1 prompts done" in said.out
    assert said.err.endswith("can't write out/index.html: Is a directory\n")


def test_embedded_prompts(sandbox: Sandbox, folder: Path) -> None:
    """With `--embed-prompt` a picture tells what was asked for, and looks the same."""
    (folder / "p.csv").write_text("prompt,seed\neine Katze \u732b,7\n", "utf-8")
    assert main(["run", "p.csv", "--out", "plain"]) == 0
    assert main(["run", "p.csv", "--out", "told", "--embed-prompt"]) == 0

    with Image.open("told/0000-7.png") as told, Image.open("plain/0000-7.png") as plain:
        assert told.text["Description"] == "eine Katze \u732b"
        assert (told.text["Seed"], told.text["Model"]) == ("7", "Ideogram 3.0")
        assert told.tobytes() == plain.tobytes()


def test_a_budget_without_prices(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Under a budget, prompts whose price is unknown are named, and not sent."""
    monkeypatch.setenv("KKIAI_API_KEY", "a key of the tests")
    (folder / "p.txt").write_text("a cat\n")
    with Sandbox(provider="kkiai", latency=0.01).running() as running:
        monkeypatch.setenv("IDEOGRAM_PROVIDER", "kkiai")
        monkeypatch.setenv("IDEOGRAM_BASE_URL", running.url)
        check_budget_without_prices(capsys)


def check_budget_without_prices(capsys: pytest.CaptureFixture[str]) -> None:
    """Run with a budget, and without one."""
    assert main(["run", "p.txt", "--budget", "5"]) == 1
    said = capsys.readouterr().err
    assert "not sent: #0 'a cat': not sent under a budget, because its price" in said
    assert "not sent: 1 prompts; run it again to go on" in said
    assert main(["run", "p.txt", "--budget", "5", "--allow-unknown-price"]) == 0
    assert main(["run", "p.txt", "--budget", "much"]) == 2

    assert "budget must be an amount of 0 or more" in capsys.readouterr().err


def lacking(**changed: Any) -> Report:
    """Return a report of a run that lacks much."""
    counts: dict[State, int] = dict.fromkeys(get_args(State), 0)
    counts |= {"unknown": 2, "answered": 1, "saved": 1}
    report = Report(
        total=None,
        counts=counts,
        images=1,
        withheld=0,
        added=0,
        removed=3,
        duplicates=0,
        invalid=0,
        spent=Decimal("0.12"),
        spent_now=Decimal("0.12"),
        unpriced=0,
        unit="USD",
        problems=(),
        ended=DownloadError("the disk is full"),
        stranded=({"response": "links"},),
        manifest=None,
    )
    return attrs.evolve(report, **changed)


def test_all_notes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is missing is told, each on a line."""
    assert not tell(lacking(), Job([], folder))
    said = capsys.readouterr()
    assert said.out == "1 images; 1 of ? prompts done, 0.12 USD spent\n"
    more, unknown, *others = said.err.splitlines()
    assert more == "failed or unknown: 2 more, see the manifest"
    assert unknown.startswith("unknown: 2 prompts may be paid without an answer; ")
    assert others == [
        "paid and not saved yet: 1 prompts; run it again",
        "no longer in the file: 3 prompts that were never sent",
        "ended early: the disk is full",
        "paid, and could not be written down: {'response': 'links'}",
        "the manifest could not be written",
    ]


def test_notes_of_what_nobody_goes_on_with(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where no journal is, nobody is told to run it again, which would pay again."""
    manifest = folder / "manifest.jsonl"
    manifest.write_text("")
    bad = Problem(position=0, request=None, state=None, error=ValueError("no"))
    report = lacking(manifest=manifest, problems=(bad, bad))

    assert not tell(report, Job([], folder, resumable=False))
    said = capsys.readouterr().err.splitlines()
    assert said[2:5] == [
        "failed or unknown: 2 more, see the manifest",
        "unknown: 2 prompts may be paid without an answer",
        f"paid and not saved yet: 1 prompts; their links are in {manifest}",
    ]


def test_a_plan_that_is_cut_short(capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong with the prompts shows in a dry run too."""
    wrong = Problem(position=1, request=None, state=None, error=ValueError("no prompt"))
    plan = Plan(
        rows=2,
        sent=0,
        cost=Cost(Decimal(0), None),
        counts=dict.fromkeys(get_args(State), 0),
        duplicates=0,
        invalid=1,
        first=(),
        problems=(wrong,),
        error=OSError("gone"),
    )

    assert not tell_plan(plan)
    said = capsys.readouterr()
    assert said.out == "2 rows: nothing to do\nwould send 0 requests; cost: 0\n"
    assert said.err == "bad row: no prompt\nthe prompts end early: gone\n"
