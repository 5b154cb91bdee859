"""The command line as a program: version, help, module, sandbox."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import ideogram_async
from ideogram_async.cli import main
from ideogram_async.sandbox import Sandbox


def test_the_sandbox_command(folder: Path) -> None:
    """`sandbox` serves until Ctrl-C, and prints what to set."""
    command = [sys.executable, "-m", "ideogram_async", "sandbox", "--port", "0"]
    with subprocess.Popen(
        [*command, "--latency", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        export = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()

    assert first.startswith("sandbox at http://127.0.0.1:")
    assert "export IDEOGRAM_BASE_URL=http://127.0.0.1:" in export
    assert (rest, process.returncode) == ("sandbox ended\n", 0)


def test_the_sandbox_command_in_process(
    capsys: pytest.CaptureFixture[str], sandbox: Sandbox
) -> None:
    """Ctrl-C ends the `sandbox` command with exit code 0."""
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    code = main(["sandbox", "--port", "0"])

    assert code == 0
    assert "sandbox ended" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["sandbox", "generate"])
def test_without_pillow(command: str, folder: Path) -> None:
    """Without Pillow, what needs the sandbox says what to install."""
    arguments = ["sandbox"] if command == "sandbox" else ["generate", "x", "--sandbox"]
    code = (
        "import sys; sys.modules['PIL'] = None\n"
        f"from ideogram_async.cli import main; sys.exit(main({arguments}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr == (
        "ideogram: the sandbox needs Pillow: pip install 'ideogram-async[sandbox]'\n"
    )


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The help of a command lists every field with its range."""
    for arguments in (["--version"], ["generate", "--help"]):
        with pytest.raises(SystemExit) as exit_:
            main(arguments)
        assert exit_.value.code == 0

    said = capsys.readouterr().out
    assert "--num-images N" in said
    assert "How many images to make, [1, 8]" in said
    assert "--rendering-speed {FLASH,TURBO,DEFAULT,QUALITY}" in said


def test_without_pillow_in_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same line comes wherever Pillow is missed; other modules are not hidden."""
    for name in [name for name in sys.modules if name.startswith("PIL")]:
        monkeypatch.delitem(sys.modules, name)
    for name in [n for n in sys.modules if n.startswith("ideogram_async.sandbox")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PIL", None)
    code = main(["sandbox"])
    monkeypatch.setitem(sys.modules, "ideogram_async.sandbox", None)

    assert code == 2
    assert "the sandbox needs Pillow" in capsys.readouterr().err
    with pytest.raises(ModuleNotFoundError, match="sandbox"):
        main(["sandbox"])


def test_module_is_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m ideogram_async` is the command line, and importing it does nothing."""
    monkeypatch.setattr(sys, "argv", ["ideogram", "--version"])
    runpy.run_module("ideogram_async.__main__")
    with pytest.raises(SystemExit) as exit_:
        runpy.run_module("ideogram_async", run_name="__main__")

    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"{ideogram_async.__version__}\n"
