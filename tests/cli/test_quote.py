"""`ideogram quote`: what a file would cost, without a key and without a connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from ideogram_async.cli import main


PROMPTS = """prompt,rendering_speed,num_images
a cat,TURBO,2
a dog,,
a cow,QUALITY,4
a hen,TURBO,2
"""


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing in the environment that a request would need."""
    for name in ("IDEOGRAM_API_KEY", "IDEOGRAM_BASE_URL", "IDEOGRAM_PROVIDER"):
        monkeypatch.delenv(name, raising=False)


def test_quote(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Requests of one price share a line; the total and the source stand below."""
    (folder / "prompts.csv").write_text(PROMPTS, "utf-8")

    assert main(["quote", "prompts.csv"]) == 0

    *lines, source = capsys.readouterr().out.splitlines()
    assert lines == [
        "2 x GenerateV3 of 2: 0.06 USD each",
        "1 x GenerateV3 of 1: 0.06 USD each",
        "1 x GenerateV3 of 4: 0.36 USD each",
        "total: 0.54 USD for 9 images",
    ]
    assert "https://ideogram.ai/features/api-pricing, as of 2026-07-09" in source
    assert source.endswith("nothing was sent")


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("aihubmix", ["2 x GenerateV3 of 1: 0.06 USD each", "total: 0.12 USD"]),
        ("openai-hk", ["2 x GenerateV3 of 1: 1800 credits each", "3600 credits"]),
        ("pixazo", ["2 x GenerateLegacy of 1: 0.20 USD each", "total: 0.40 USD"]),
        ("kkiai", ["unknown each", "total: unknown for 2 images", "not published"]),
    ],
)
def test_quote_of_a_gateway(
    folder: Path, capsys: pytest.CaptureFixture[str], provider: str, expected: list[str]
) -> None:
    """Every provider has its own prices, in its own unit; unknown is unknown."""
    (folder / "prompts.txt").write_text("a cat\na dog\n", "utf-8")

    assert main(["quote", "prompts.txt", "--provider", provider]) == 0

    printed = capsys.readouterr().out
    assert all(text in printed for text in expected)


def test_quote_of_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One image is one image."""
    (folder / "prompts.txt").write_text("a cat\n", "utf-8")

    assert main(["quote", "prompts.txt", "--rendering-speed", "FLASH"]) == 0

    assert "total: 0.03 USD for 1 image\n" in capsys.readouterr().out


def test_quote_of_what_is_not_taken(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A field that the provider doesn't take is named, with who does."""
    (folder / "prompts.txt").write_text("a cat\n", "utf-8")
    options = ["--provider", "pixazo", "--model", "V_2A"]

    assert main(["quote", "prompts.txt", *options]) == 2

    complaint = capsys.readouterr().err
    assert "ideogram: pixazo: model of GenerateLegacy must be one of" in complaint
    assert "taken by aihubmix, ideogram, openai-hk" in complaint


def test_quote_of_a_row_that_is_not_taken(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row that the provider doesn't take is named by its line, with who does."""
    (folder / "prompts.csv").write_text("prompt,num_images\na cat,\na dog,2\n", "utf-8")

    assert main(["quote", "prompts.csv", "--provider", "pixazo"]) == 2

    complaint = capsys.readouterr().err
    assert "prompts.csv:3: pixazo: num_images of GenerateLegacy is not" in complaint
    assert "taken by aihubmix, ideogram, kkiai, openai-hk" in complaint
