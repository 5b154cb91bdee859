"""The sandbox's pictures."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageFont

from ideogram_async.sandbox import lettering
from ideogram_async.sandbox.pictures import Painting


def opened(picture: Painting) -> Image.Image:
    """Return the drawn picture."""
    return Image.open(io.BytesIO(picture.png()))


@pytest.mark.parametrize("seed", range(12))
def test_every_seed_gives_its_picture(seed: int) -> None:
    """Pictures have the asked size, differ by seed, and are the same for the same."""
    picture = Painting(prompt="a cat", seed=seed, width=512, height=704)
    other = Painting(prompt="a cat", seed=seed + 1, width=512, height=704)

    assert opened(picture).size == (512, 704)
    assert picture.png() == picture.png()
    assert picture.png() != other.png()


def test_the_caption_is_on_it() -> None:
    """Pictures that differ in the caption only differ in its corner only."""
    first = opened(Painting(prompt="x", seed=1, width=512, height=512))
    bright = first.crop((20, 400, 492, 500)).convert("L").getextrema()

    assert bright[1] == 255


@pytest.mark.parametrize(
    "prompt", ["", "word " * 300, "x" * 900, "太空中的猫", "two\nlines and a\ttab"]
)
def test_any_prompt_can_be_drawn(prompt: str) -> None:
    """Prompts of any length and script are drawn."""
    assert opened(Painting(prompt=prompt, seed=1, width=512, height=512)).size


def test_without_fonts_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no known font, Pillow's own is used."""
    monkeypatch.setattr(lettering, "FONTS", ("no such font.ttf",))

    assert opened(Painting(prompt="a cat", seed=1, width=512, height=512)).size


def test_with_a_font_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """A font that the system has is used."""
    default = ImageFont.load_default(20)
    monkeypatch.setattr(ImageFont, "truetype", lambda name, size: default)

    assert opened(Painting(prompt="a cat", seed=1, width=512, height=512)).size
