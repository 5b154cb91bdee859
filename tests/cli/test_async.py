"""`run --async`: images that are made later; and the sandbox's webhooks."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import attrs
import pytest

from ideogram_async.cli import main
from ideogram_async.cli._run import tell
from ideogram_async.jobs import Job
from ideogram_async.sandbox import Sandbox

from .asked import manifest
from .test_run import lacking


HOOK = ["--webhook-url", "https://example.com/hook"]


def test_images_that_are_made_later(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of prompts is submitted to Ideogram 4.0, waited for and saved."""
    sandbox.service.latency = 0
    (folder / "p.csv").write_text(
        "prompt,resolution,seed\na cat,1024x1024,7\nfailing,1024x1024,8\n"
    )
    options = ["--rendering-speed", "TURBO", "--enable-copyright-detection", "true"]
    code = main(["run", "p.csv", "--async", *HOOK, *options])

    said = capsys.readouterr()
    cat, failing = manifest(folder / "out")
    assert code == 1
    assert "failed: #1 'failing': generation" in said.err
    assert "0.03 USD spent" in said.out
    assert cat["request"] == {
        "type": "GenerateV4",
        "text_prompt": "a cat",
        "resolution": "1024x1024",
        "seed": 7,
        "rendering_speed": "TURBO",
        "enable_copyright_detection": True,
    }
    assert cat["files"] == ["0000-7.png"]
    assert failing["error"]["type"] == "GenerationFailedError"


def test_what_it_would_cost(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The price is that of Ideogram 4.0, and nothing is sent."""
    (folder / "p.txt").write_text("a cat\n")

    assert main(["quote", "p.txt", "--async", "--rendering-speed", "QUALITY"]) == 0
    assert "1 x GenerateV4 of 1: 0.10 USD each" in capsys.readouterr().out
    assert main(["run", "p.txt", "--async", *HOOK, "--dry-run"]) == 0
    assert "cost: 0.06 USD" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--async"], "need a webhook_url (--webhook-url)"),
        (HOOK, "need a webhook_url (--webhook-url)"),
        (["--async", "--webhook-url", "http://example.com"], "webhook_url"),
        (["--async", *HOOK, "--aspect-ratio", "1x1"], "no field of GenerateV4"),
        (["--async", *HOOK, "--provider", "pixazo"], "taken by ideogram"),
    ],
)
def test_wrong_usage(
    sandbox: Sandbox,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    complaint: str,
) -> None:
    """What can't be made later is refused in one line, before anything is sent."""
    (folder / "p.txt").write_text("a cat\n")

    assert main(["run", "p.txt", *options]) == 2
    assert complaint in capsys.readouterr().err
    assert sandbox.ledger.charges == []


def test_what_is_in_progress_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a run left at the service is told, with what to do."""
    report = lacking()
    report = attrs.evolve(report, counts={**report.counts, "submitted": 4})
    tell(report, Job([], folder))

    assert "in progress: 4 generations; run it again" in capsys.readouterr().err


def test_a_sandbox_with_webhooks(
    capsys: pytest.CaptureFixture[str], sandbox: Sandbox
) -> None:
    """The `sandbox` command delivers webhooks on request, as it is told."""
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    options = ["--webhooks", "late=0.1", "twice=0.1", "--allow-local-webhooks"]
    assert main(["sandbox", "--port", "0", *options]) == 0
    assert main(["sandbox", "--webhooks", "late"]) == 2
    assert main(["sandbox", "--webhooks", "early=0.1"]) == 2

    said = capsys.readouterr().err
    assert "--webhooks takes KIND=RATE, got 'late'" in said
    assert "unknown fault 'early': choose from late, twice, forged" in said
