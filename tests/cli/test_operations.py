"""A command for every operation: its options, its files, its errors."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest
from PIL import Image

from ideogram_async import DownloadError
from ideogram_async.cli import main
from ideogram_async.cli._arguments import verbs
from ideogram_async.cli._commands import _shown
from ideogram_async.sandbox import Sandbox

from .asked import manifest


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


def test_a_terminal_obeys_no_answer(
    sandbox: Sandbox, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a terminal would obey, or can't show, is escaped, and stays the same."""
    name = "ü猫\x1b[2J\x9b31m\u202egnp.\x7f\ue000\U000e0001"
    assert main(["create-dataset", name]) == 0

    said = capsys.readouterr().out
    assert json.loads(said)["name"] == name
    assert "ü猫\\u001b[2J\\u009b31m\\u202egnp.\\u007f\\ue000\\udb40\\udc01" in said
    assert _shown("\ud800") == '"\\ud800"'


def test_facts_of_the_demo(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With `--sandbox` too, only the answer goes to standard output."""
    assert main(["list-models", "--scope", "owned", "--sandbox"]) == 0

    said = capsys.readouterr()
    assert json.loads(said.out) == {"models": []}
    assert "nothing is sent or paid" in said.err


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


def test_a_link_is_uploaded(sandbox: Sandbox, folder: Path) -> None:
    """An http address stands for the file that is there."""
    assert main(["generate", "a cat"]) == 0
    (line,) = manifest(folder / "out")
    link = line["response"]["data"][0]["url"]

    assert main(["remix", "as a print", "--image", link]) == 0
