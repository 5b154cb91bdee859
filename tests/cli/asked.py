"""What tests of the command line read and press."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from ideogram_async.sandbox import Sandbox


def manifest(out: Path) -> list[dict[str, Any]]:
    """Return the manifest's lines in the order of the prompts."""
    lines = (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return sorted(map(json.loads, lines), key=lambda line: line["index"])


def interrupt(sandbox: Sandbox, times: int) -> threading.Thread:
    """Send Ctrl-C to this process once the sandbox is busy."""

    def press() -> None:
        while not sandbox.ledger.charges:
            time.sleep(0.01)
        for _ in range(times):
            time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    return thread
