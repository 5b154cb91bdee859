"""`run` reads files of prompts, and names what is wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ideogram_async.cli import main
from ideogram_async.sandbox import Sandbox

from .asked import manifest


JSONL = """{"prompt": "a cat"}

{"prompt": "a dog", "seed": 5}
{"prompt": "a fox, \\"quoted\\""}
"""


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


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.csv", "prompt,\x1b]0;x\x07\u202e\na cat,1\n"),
        ("p.jsonl", '{"prompt": "a", "\\u001b[2J\\u009b": 1}\n{"prompt": "\\u202e"}\n'),
        ("p.csv", "prompt,seed\na,\x1b[2J\n"),
        ("p\x1b[2J.xls", ""),
    ],
)
@pytest.mark.parametrize("option", ["--strict", "--dry-run", "--no-resume"])
def test_a_terminal_obeys_no_prompt_file(
    sandbox: Sandbox,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    text: str,
    option: str,
) -> None:
    """What a terminal would obey is never printed, from whatever cell or title."""
    (folder / name).write_text(text, encoding="utf-8")
    main(["run", name, option])

    said = "".join(capsys.readouterr())
    assert said
    assert said.replace("\n", "").isprintable()


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


def test_objects_in_a_prompt_file(sandbox: Sandbox, folder: Path) -> None:
    """A row of JSON holds an object as it is."""
    row = {"prompt": "a cat", "color_palette": {"name": "EMBER"}}
    (folder / "p.jsonl").write_text(json.dumps(row))

    assert main(["run", "p.jsonl"]) == 0


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
