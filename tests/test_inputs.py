"""Prompt files: what a row means, what is wrong with one, and what reading costs."""

from __future__ import annotations

import json
import time
import tracemalloc
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from ideogram_async import (
    Describe,
    GenerateLegacy,
    GenerateV3,
    GenerateV4,
    Upscale,
)
from ideogram_async.inputs import BadRow, PromptFile


def written(folder: Path, name: str, text: str | bytes) -> PromptFile:
    """Return a prompt file with *text* in it."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return PromptFile(path)


def said(prompts: PromptFile) -> list[str]:
    """Return what each row gives: its prompt, or its complaint without the folder."""
    return [
        f"{row.path.name}:{row.line}: {row.error}"
        if isinstance(row, BadRow)
        else str(getattr(row, "prompt", row))
        for row in prompts.rows()
    ]


def test_the_sheet_of_the_web_page(tmp_path: Path) -> None:
    """Its columns and values mean our fields; what the API lacks is named."""
    prompts = written(
        tmp_path,
        "p.csv",
        "prompt,visibility,aspect_ratio,magic_prompt,model,num_images,seed_number,"
        "rendering,negative_prompt,style\r\n"
        "a cat,private,16:9,off,3.0,2,7,Turbo,dogs,Realistic\r\n"
        "a dog,,,,,,,,,\r\n",
    )

    cat, dog = prompts.rows()
    assert cat == GenerateV3(
        "a cat",
        aspect_ratio="16x9",
        magic_prompt="OFF",
        num_images=2,
        seed=7,
        rendering_speed="TURBO",
        negative_prompt="dogs",
        style_type="REALISTIC",
    )
    assert dog == GenerateV3("a dog")
    assert prompts.ignored() == ("visibility",)


def test_another_model_is_a_bad_row(tmp_path: Path) -> None:
    """Nobody pays for another model than the one that was asked for."""
    prompts = written(tmp_path, "p.csv", "prompt,model\na cat,2.0\na dog,3.0\n")

    assert said(prompts) == [
        "p.csv:2: model 2.0 is not what GenerateV3 uses: leave it out",
        "a dog",
    ]


def test_other_request_classes(tmp_path: Path) -> None:
    """A class that names a field otherwise, or lacks it, is read by the same sheet."""
    text = "prompt,magic_prompt,model,rendering\nx,on,V_2,turbo\n"
    legacy = written(tmp_path, "p.csv", text)
    legacy = PromptFile(legacy.path, GenerateLegacy)
    v4 = written(tmp_path, "q.csv", "text_prompt,style\nx,fiction\n")
    v4 = PromptFile(v4.path, GenerateV4)

    (request,) = legacy.requests()
    assert request == GenerateLegacy("x", magic_prompt_option="ON", model="V_2")
    assert legacy.ignored() == ("rendering",)
    assert list(v4.requests()) == [GenerateV4(text_prompt="x")]
    assert v4.ignored() == ("style",)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffPrompt;Seed\r\na cat, asleep;7\r\n;\r\n\r\na dog;\r\n",
        "prompt\tseed\na cat, asleep\t7.0\n\t\na dog\t\n",
        'prompt,seed,,\n"a cat, asleep",7,,\n,,,\na dog,,,,,\n',
    ],
    ids=["semicolons", "tabs", "empty columns"],
)
def test_tables_of_table_programs(tmp_path: Path, text: str) -> None:
    """A byte order mark, semicolons, tabs, empty rows and columns do no harm."""
    prompts = written(tmp_path, "p.csv", text)

    assert list(prompts.requests()) == [
        GenerateV3("a cat, asleep", seed=7),
        GenerateV3("a dog"),
    ]
    assert prompts.count() == 2


def test_bad_rows_do_not_stop_the_others(tmp_path: Path) -> None:
    """A bad row is named with the line it begins on; the others are requests."""
    prompts = written(
        tmp_path,
        "p.csv",
        b"prompt,seed,,num_images\n"
        b'"two\n\xe7\x8c\xab",1,,1\n'
        b"a cat,-1,,1\n"
        b"caf\xe9,1,,1\n"
        b'"a" b,1,,1\n'
        b"a dog,1,,\n"
        b"a,1,what,1\n"
        b"a\n"
        b"a,1,,1,1,1\n"
        b",1,,1\n"
        b'"no end',
    )

    quotes = "a cell with a comma in it needs quotes"
    assert said(prompts) == [
        "two\n猫",
        "p.csv:4: seed must be in [0, 2147483647], got -1",
        "p.csv:5: prompt is not UTF-8 text: save the file as UTF-8",
        "p.csv:6: unreadable row: ',' expected after '\"'",
        "a dog",
        "p.csv:8: a cell stands in a column without a name",
        "p.csv:9: fewer cells than the header has columns",
        f"p.csv:10: 2 more cells than the header has columns; {quotes}",
        "p.csv:11: prompt is required",
        "p.csv:12: unreadable row: unexpected end of data",
    ]
    assert prompts.count() == 10
    with pytest.raises(ValueError, match=r"p.csv:4: seed must be in \[0, 21"):
        list(prompts.requests())


def test_rows_of_json(tmp_path: Path) -> None:
    """Rows of JSON hold values as they are; each names what is wrong with it."""
    rows: list[Any] = [
        {"prompt": "a cat", "seed": 7.0, "style_codes": ["0a1b2c3d"], "style": None},
        {"prompt": "x", "visibility": "public"},
        {"prompt": "x", "seed": 1, "seed_number": 2},
        {"prompt": "\ud800"},
        {"prompt": "x", "seed": True},
        {"prompt": "a dog", "num_images": None, "rendering_speed": "turbo"},
        {"prompt": "x", "rendering_speed": 3},
        {"prompt": 5},
    ]
    text = "\n".join(map(json.dumps, rows)) + "\n" + "[" * 100_000 + "\n\n{\n[]\n"
    prompts = written(tmp_path, "p.ndjson", text)

    got = list(prompts.rows())
    bad = [f"{row.line}: {row.error}" for row in got if isinstance(row, BadRow)]
    assert got[0] == GenerateV3("a cat", seed=7, style_codes=("0a1b2c3d",))
    assert got[5] == GenerateV3("a dog", rendering_speed="TURBO")
    assert [line.partition(" (")[0] for line in bad][:3] == [
        "2: visibility is nothing the API has: leave it out",
        "3: seed_number is given twice, by two names",
        "4: prompt is not UTF-8 text: save the file as UTF-8",
    ]
    assert [line.partition(":")[0] for line in bad] == [
        *("2", "3", "4", "5", "7", "8", "9", "11", "12"),
    ]
    assert prompts.ignored() == ()
    assert prompts.count() == len(got) == 11


def test_shared_fields(tmp_path: Path) -> None:
    """A row has the shared fields unless it says otherwise."""
    path = written(tmp_path, "p.csv", "prompt,seed\na cat,\na dog,2\n").path
    prompts = PromptFile(path, shared={"seed": "1"})

    assert [row.seed for row in prompts.requests()] == [1, 2]


def test_files_in_cells(tmp_path: Path) -> None:
    """A cell names a file; one that is missing makes its row a bad one."""
    (tmp_path / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 99)
    text = f"image_file\n{tmp_path}/cat.png\n{tmp_path}/no.png\n"
    prompts = PromptFile(written(tmp_path, "p.csv", text).path, Describe)

    cat, dog = prompts.rows()
    assert isinstance(cat, Describe)
    assert str(dog).startswith(f"{tmp_path}/p.csv:3: can't read {tmp_path}/no.png: No")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("p.csv", "colour\nred\n", "p.csv:1: colour is no field of GenerateV3: "),
        ("p.csv", "seed\n1\n", "p.csv:1: no column is called prompt"),
        ("p.csv", "prompt,seed,seed\n", "p.csv:1: two columns are called seed"),
        (
            "p.csv",
            "prompt,seed,Seed_number\n",
            "p.csv:1: two columns mean seed: seed and Seed_number",
        ),
        ("p.csv", ",\na cat,\n", "p.csv:1: the first line must name the columns"),
        ("p.csv", '"prompt" x\n', "p.csv:1: unreadable header: "),
        ("p.txt", b"\xff\xfea\0", "p.txt is UTF-16: save it as UTF-8"),
        ("p.json", "[]", "p.json is no prompt file: save it as JSONL, an object a"),
        ("p.xlsx", "PK", "p.xlsx is no prompt file: save it as CSV UTF-8"),
    ],
)
def test_unreadable_files(
    tmp_path: Path, name: str, text: str | bytes, complaint: str
) -> None:
    """A file that can't be read as a whole is refused in one line."""
    prompts = written(tmp_path, name, text)

    for ask in (prompts.count, prompts.checked, prompts.ignored, prompts.rows):
        with pytest.raises(ValueError, match=r"^[^\n]*$") as raised:
            list(ask())  # type: ignore[call-overload]  # only rows gets that far
        assert str(raised.value).removeprefix(f"{tmp_path}/").startswith(complaint)


def test_no_such_file(tmp_path: Path) -> None:
    """A file that is missing, or a folder, is named with the reason."""
    with pytest.raises(ValueError, match=r"can't read .*no.csv: No such file"):
        PromptFile(tmp_path / "no.csv").count()
    with pytest.raises(ValueError, match=r"can't read .*: Is a directory"):
        PromptFile(tmp_path).count()


def test_requests_without_required_fields(tmp_path: Path) -> None:
    """An empty table of a class that needs nothing has no rows."""
    assert written(tmp_path, "p.csv", "").count() == 0
    prompts = PromptFile(written(tmp_path, "q.csv", "model\n3.0\n").path, Upscale)
    with pytest.raises(ValueError, match=r"q.csv:1: no column is called image_file"):
        prompts.count()


@pytest.mark.slow
def test_a_million_rows_start_at_once_and_memory_is_flat(tmp_path: Path) -> None:
    """Of a million rows the first come at once, and none is held."""
    path = tmp_path / "p.csv"
    with path.open("w") as file:
        file.write("prompt,seed_number\n")
        for start in range(0, 1_000_000, 10_000):
            rows = range(start, start + 10_000)
            file.write("".join(f"a cat called {row},{row}\n" for row in rows))
    prompts = PromptFile(path)
    began = time.perf_counter()
    assert len(list(islice(prompts.rows(), 1000))) == 1000
    first = time.perf_counter() - began

    tracemalloc.start()
    for _ in islice(prompts.rows(), 1000):
        pass
    few = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    for _ in islice(prompts.rows(), 20_000):
        pass
    many = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert first < 5
    assert many < few + 100_000
    assert prompts.count() == 1_000_000
