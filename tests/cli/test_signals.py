"""Ctrl-C and SIGTERM, once and twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from ideogram_async.cli import main
from ideogram_async.inputs import PromptFile
from ideogram_async.sandbox import Sandbox

from .asked import interrupt, manifest


def test_facts_interrupted(sandbox: Sandbox, folder: Path) -> None:
    """Ctrl-C ends a question with exit code 1."""
    sandbox.service.latency = 30
    Image.new("RGB", (64, 64)).save("cat.png")
    thread = interrupt(sandbox, times=1)
    code = main(["describe", "--image-file", "cat.png"])
    thread.join()

    assert code == 1


def test_ctrl_c_saves_what_is_paid(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After Ctrl-C nothing new is sent, and all that was billed is on disk."""
    sandbox.service.latency = 0.5
    (folder / "p.txt").write_text("".join(f"prompt {n}\n" for n in range(100)))
    thread = interrupt(sandbox, times=1)
    code = main(["run", "p.txt"])
    thread.join()

    said = capsys.readouterr()
    lines = manifest(folder / "out")
    saved = [line for line in lines if line["error"] is None]
    assert code == 1
    assert "stopping: waiting for what is paid" in said.err
    assert len(saved) == sandbox.ledger.images == 10
    assert all((folder / "out" / line["files"][0]).is_file() for line in saved)
    assert "not sent: 90 prompts" in said.err


def test_ctrl_c_twice_leaves_at_once(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second Ctrl-C ends the run at once; the page is written all the same."""
    sandbox.service.latency = 30
    (folder / "p.txt").write_text("a cat\na dog\n")
    thread = interrupt(sandbox, times=2)
    started = time.monotonic()
    code = main(["run", "p.txt"])
    thread.join()

    assert code == 1
    assert time.monotonic() - started < 10
    assert "left at once: what was under way may be paid" in capsys.readouterr().err
    assert (folder / "out/index.html").is_file()


def test_systems_without_signals_in_the_loop(
    sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a loop can't be told of Ctrl-C the run works all the same."""

    def unsupported(self: object, *arguments: object) -> None:
        raise NotImplementedError

    loop = asyncio.SelectorEventLoop
    monkeypatch.setattr(loop, "add_signal_handler", unsupported, raising=False)

    assert main(["generate", "a cat"]) == 0


def test_sigterm_ends_a_run_in_good_order(sandbox: Sandbox, folder: Path) -> None:
    """SIGTERM does what Ctrl-C does: what is paid is saved."""
    sandbox.service.latency = 0.5
    (folder / "p.txt").write_text("".join(f"prompt {n}\n" for n in range(50)))
    command = [sys.executable, "-m", "ideogram_async", "run", "p.txt"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not sandbox.ledger.charges:
            time.sleep(0.01)
        process.terminate()
        _, said = process.communicate()

    assert process.returncode == 1
    assert "stopping: waiting for what is paid" in said
    saved = [line for line in manifest(folder / "out") if line["state"] == "saved"]
    assert len(saved) == sandbox.ledger.images < 50


def test_ctrl_c_before_anything_is_sent(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C while a long file is counted is one line."""

    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(PromptFile, "count", interrupted)
    (folder / "p.txt").write_text("a cat\n")

    assert main(["run", "p.txt"]) == 1
    assert capsys.readouterr().err == "interrupted\n"
