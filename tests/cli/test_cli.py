"""The command line, from its arguments to the files it leaves."""

from __future__ import annotations

import asyncio
import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest
from PIL import Image

import ideogram_async
from ideogram_async import Cost, DownloadError
from ideogram_async.cli import main
from ideogram_async.cli._arguments import verbs
from ideogram_async.cli._run import tell, tell_plan
from ideogram_async.jobs import Job, Plan, Problem, Report, State
from ideogram_async.sandbox import Sandbox


JSONL = """{"prompt": "a cat"}

{"prompt": "a dog", "seed": 5}
{"prompt": "a fox, \\"quoted\\""}
"""


def manifest(out: Path) -> list[dict[str, Any]]:
    """Return the manifest's lines in the order of the prompts."""
    lines = (out / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return sorted(map(json.loads, lines), key=lambda line: line["index"])


def test_generate(sandbox: Sandbox, folder: Path) -> None:
    """`generate` saves every image of one prompt, of the asked shape."""
    options = ["--aspect-ratio", "16x9", "--num-images", "2", "--seed", "7"]
    code = main(["generate", "a cat", *options, "--out", "pics"])

    (line,) = manifest(folder / "pics")
    assert code == 0
    assert line["files"] == ["0000-7.png", "0000-8.png"]
    assert line["request"] == {
        "type": "GenerateV3",
        "prompt": "a cat",
        "aspect_ratio": "16x9",
        "num_images": 2,
        "seed": 7,
    }
    assert line["response"]["data"][0]["is_image_safe"] is True
    assert (line["attempts"], line["error"]) == (1, None)
    with Image.open(folder / "pics/0000-8.png") as picture:
        assert picture.size == (1312, 736)


def test_remix(sandbox: Sandbox, folder: Path) -> None:
    """`remix` sends a file; lists and palettes are given as on a command line."""
    Image.new("RGB", (64, 64)).save("cat.png")
    code = main(
        [
            *("remix", "as a print", "--image", "cat.png", "--image-weight", "60"),
            *("--style-reference-images", "cat.png", "cat.png"),
            *("--color-palette", '{"name": "EMBER"}'),
        ]
    )

    (line,) = manifest(folder / "out")
    assert code == 0
    assert line["request"]["image"] == "cat.png"
    assert line["request"]["style_reference_images"] == ["cat.png", "cat.png"]
    assert line["request"]["color_palette"] == {"name": "EMBER"}


def test_objects(sandbox: Sandbox, folder: Path) -> None:
    """A palette is given by its name, as JSON, or as a file with JSON."""
    (folder / "palette.json").write_text('{"members": [{"color_hex": "#fff"}]}')
    for option in ("EMBER", '{"name": "EMBER"}', "@palette.json"):
        assert main(["generate", "a cat", "--color-palette", option]) == 0

    (line,) = manifest(folder / "out")
    assert line["request"]["color_palette"] == {"members": [{"color_hex": "#fff"}]}


def test_facts_are_printed(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operation that makes no images prints its answer as JSON."""
    assert main(["create-dataset", "cats"]) == 0
    created = json.loads(capsys.readouterr().out)
    assert main(["get-dataset", created["dataset_id"]]) == 0
    got = json.loads(capsys.readouterr().out)
    code = main(["get-dataset", "none-such"])

    assert got["dataset"]["name"] == "cats"
    assert code == 1
    assert capsys.readouterr().err.startswith("failed: 404: ")
    assert not (folder / "out").exists()


def test_facts_of_the_demo(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--sandbox` too, only the answer goes to standard output."""
    assert main(["list-models", "--scope", "owned", "--sandbox"]) == 0

    said = capsys.readouterr()
    assert json.loads(said.out) == {"models": []}
    assert "nothing is sent or paid" in said.err


def test_facts_interrupted(sandbox: Sandbox, folder: Path) -> None:
    """Ctrl-C ends a question with exit code 1."""
    sandbox.service.latency = 30
    Image.new("RGB", (64, 64)).save("cat.png")
    thread = interrupt(sandbox, times=1)
    code = main(["describe", "--image-file", "cat.png"])
    thread.join()

    assert code == 1


@pytest.mark.parametrize("command", sorted(verbs()))
def test_every_operation_has_its_command(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each operation is a command whose help lists its fields."""
    with pytest.raises(SystemExit) as exit_:
        main([command, "--help"])

    said = capsys.readouterr().out.lower()
    fields = [name.replace("_", "-") for name in attrs.fields_dict(verbs()[command])]
    assert exit_.value.code == 0
    assert [
        n for n in fields if n not in said and n.replace("-", "_") not in said
    ] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.txt", '\ufeffa cat\n\n  a dog  \r\na fox, "quoted"\n'),
        ("p.csv", 'prompt,seed\na cat,\n a dog ,5\n"a fox, ""quoted""",\n'),
        ("p.jsonl", JSONL),
    ],
)
def test_run_reads_prompt_files(
    sandbox: Sandbox, folder: Path, name: str, text: str
) -> None:
    """Text, CSV and JSONL give a request per row, with the options as defaults."""
    (folder / name).write_text(text, encoding="utf-8", newline="")
    code = main(["run", name, "--rendering-speed", "TURBO"])

    lines = manifest(folder / "out")
    assert code == 0
    assert [line["request"]["prompt"] for line in lines] == [
        "a cat",
        "a dog",
        'a fox, "quoted"',
    ]
    assert {line["request"]["rendering_speed"] for line in lines} == {"TURBO"}
    assert all((folder / "out" / line["files"][0]).is_file() for line in lines)


def test_csv_lists(sandbox: Sandbox, folder: Path) -> None:
    """A cell of a list field holds its members between semicolons."""
    (folder / "p.csv").write_text("prompt,style_codes\na cat,0a1b2c3d;ffffffff\n")
    code = main(["run", "p.csv"])

    assert code == 0
    assert manifest(folder / "out")[0]["request"]["style_codes"] == [
        "0a1b2c3d",
        "ffffffff",
    ]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("p.csv", "prompt,num_images\na cat,9\n", "p.csv:2: num_images must be in"),
        ("p.csv", "prompt,num_images\na cat,many\n", "p.csv:2: num_images must be of"),
        ("p.csv", "prompt,colour\na cat,red\n", "p.csv:1: colour is no field of"),
        ("p.csv", "prompt,seed\na cat\n", "p.csv:2: fewer cells than the header"),
        ("p.csv", "prompt\na cat,7\n", "p.csv:2: 1 more cells than the header"),
        ("p.csv", 'prompt\n"a" cat\n', "p.csv:2: unreadable row: "),
        ("p.csv", "prompt,seed\n,7\n", "p.csv:2: prompt is required"),
        ("p.csv", "prompt\n", "p.csv: no prompts in it"),
        ("p.jsonl", '{"prompt"\n', "p.jsonl:1: not JSON: "),
        ("p.jsonl", "[1]\n", "p.jsonl:1: must be a JSON object, such as"),
        ("p.jsonl", '{"prompt": "x", "image": "y"}\n', "p.jsonl:1: image is no field"),
        ("p.txt", "", "p.txt: no prompts in it"),
        ("p.txt", "caf\udce9", "p.txt:1: prompt is not UTF-8 text: "),
    ],
)
def test_a_bad_row_stops_everything_before_it_starts(
    sandbox: Sandbox,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str,
    complaint: str,
) -> None:
    """A bad row is named with its line; nothing is sent, and the exit code is 2."""
    (folder / name).write_text(text, encoding="utf-8", errors="surrogateescape")
    code = main(["run", name, "--strict"])

    assert code == 2
    assert complaint in capsys.readouterr().err
    assert sandbox.ledger.charges == []
    assert not (folder / "out").exists()


def test_columns_that_mean_nothing_here(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Columns of the web page's sheet that the API lacks are named once."""
    (folder / "p.csv").write_text("prompt,visibility\na cat,private\na dog,public\n")
    code = main(["run", "p.csv"])

    assert code == 0
    assert "p.csv: ignored, as the API has no such field: visibility\n" in (
        capsys.readouterr().err
    )


def test_many_bad_rows(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of many bad rows the first ones are named, the others counted."""
    (folder / "p.jsonl").write_text("{}\n" * 25)
    code = main(["run", "p.jsonl", "--strict"])

    error = capsys.readouterr().err
    assert code == 2
    assert error.count("prompt is required") == 20
    assert "... and 5 more\nnothing was sent: mend these rows" in error


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["generate", ""], "prompt must not be blank"),
        (["generate", "x", "--num-images", "9"], "num_images must be in [1, 8], got 9"),
        (
            ["generate", "x", "--resolution", "1024x1024", "--aspect-ratio", "1x1"],
            "resolution and aspect_ratio exclude each other",
        ),
        (["remix", "x", "--image", "no.png"], "can't read no.png: No such file"),
        (["remix", "x", "--image", "text.png"], "image must be image/png"),
        (["run", "no.txt"], "can't read no.txt: No such file"),
        (
            ["generate", "x", "--color-palette", "@no.json"],
            "can't read no.json: No such",
        ),
        (["generate-v4"], "give exactly one of text_prompt and json_prompt"),
        (["generate", "x", "--out", "text.png"], "can't write to text.png: "),
        (["generate", "x", "--base-url", "nowhere"], "base_url must be like"),
    ],
)
def test_bad_usage(
    sandbox: Sandbox,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    complaint: str,
) -> None:
    """What is wrong with a call is one clear line, and nothing is sent."""
    (folder / "text.png").write_text("no picture")
    code = main(arguments)

    error = capsys.readouterr().err
    assert code == 2
    assert complaint in error
    assert error.count("\n") == 1
    assert sandbox.ledger.charges == []


def test_missing_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a key the line says which variable to set."""
    monkeypatch.delenv("IDEOGRAM_API_KEY", raising=False)
    code = main(["generate", "a cat"])

    assert code == 2
    assert "set IDEOGRAM_API_KEY" in capsys.readouterr().err


def test_unknown_provider(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown provider is refused with the known ones."""
    with pytest.raises(SystemExit) as exit_:
        main(["generate", "a cat", "--provider", "nobody"])

    assert exit_.value.code == 2
    assert "'ideogram'" in capsys.readouterr().err


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


def test_a_link_that_is_dead(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An image that can't be downloaded fails its prompt; the answer is kept."""
    sandbox._link_life = -5.0
    code = main(["generate", "a cat"])

    (line,) = manifest(folder / "out")
    assert code == 1
    assert "the link expired at" in capsys.readouterr().err
    assert line["error"]["type"] == DownloadError.__name__
    assert line["files"] == [None]
    assert line["response"]["data"][0]["url"].startswith("http")


def test_an_earlier_run_is_kept(sandbox: Sandbox, folder: Path) -> None:
    """A second run in one folder overwrites neither images nor manifests."""
    for _ in range(3):
        assert main(["generate", "a cat", "--seed", "7"]) == 0

    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "0000-7-2.png",
        "0000-7-3.png",
        "0000-7.png",
        "index.html",
        "manifest.1.jsonl",
        "manifest.2.jsonl",
        "manifest.jsonl",
    ]


def test_the_demo(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--sandbox` needs no key, and says that nothing is paid."""
    monkeypatch.delenv("IDEOGRAM_API_KEY", raising=False)
    code = main(["generate", "a cat", "--sandbox"])

    assert code == 0
    assert "nothing is sent or paid" in capsys.readouterr().out
    assert manifest(folder / "out")[0]["files"]


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


def test_systems_without_signals_in_the_loop(
    sandbox: Sandbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a loop can't be told of Ctrl-C the run works all the same."""

    def unsupported(self: object, *arguments: object) -> None:
        raise NotImplementedError

    loop = asyncio.SelectorEventLoop
    monkeypatch.setattr(loop, "add_signal_handler", unsupported, raising=False)

    assert main(["generate", "a cat"]) == 0


def test_a_link_is_uploaded(sandbox: Sandbox, folder: Path) -> None:
    """An http address stands for the file that is there."""
    assert main(["generate", "a cat"]) == 0
    (line,) = manifest(folder / "out")
    link = line["response"]["data"][0]["url"]

    assert main(["remix", "as a print", "--image", link]) == 0


def test_objects_in_a_prompt_file(sandbox: Sandbox, folder: Path) -> None:
    """A row of JSON holds an object as it is."""
    row = {"prompt": "a cat", "color_palette": {"name": "EMBER"}}
    (folder / "p.jsonl").write_text(json.dumps(row))

    assert main(["run", "p.jsonl"]) == 0


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


def test_the_demo_is_not_the_real_thing(sandbox: Sandbox, folder: Path) -> None:
    """What was drawn in a demo is still sent to the service, into the same folder."""
    (folder / "p.txt").write_text("a cat\n")
    assert main(["run", "p.txt", "--sandbox"]) == 0
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


def test_a_bad_row_does_not_stop_the_others(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without `--strict` the others are sent; the bad row is named, and it is 1."""
    (folder / "p.csv").write_text("prompt,seed\na cat,1\na dog,x\na cow,3\n")
    code = main(["run", "p.csv"])

    said = capsys.readouterr()
    assert code == 1
    assert "bad row: p.csv:3: seed must be of type int" in said.err
    assert "2 of 2 prompts done, 1 bad row left out" in said.out
    assert sandbox.ledger.images == 2


def test_no_prompts(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty file is a wrong call."""
    (folder / "p.txt").write_text("\n")

    assert main(["run", "p.txt"]) == 2
    assert "p.txt: no prompts in it" in capsys.readouterr().err


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
    assert "failed: #0 'a cat': not sent under a budget, because its price" in said
    assert "not sent: 1 prompts; run it again to go on" in said
    assert main(["run", "p.txt", "--budget", "5", "--allow-unknown-price"]) == 0
    assert main(["run", "p.txt", "--budget", "much"]) == 2

    assert "budget must be an amount of 0 or more" in capsys.readouterr().err


def test_all_notes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever is missing is told, each on a line."""
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

    assert not tell(report, Job([], folder))
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
