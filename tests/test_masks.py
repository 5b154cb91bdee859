"""Masks are checked before anything is paid."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from ideogram_async import Mask, Upload


def picture(black: float = 0.5, *, mode: str = "L", gray: int | None = None) -> Upload:
    """Return a picture of 10 x 10 pixels, black from the top on."""
    image = Image.new("L", (10, 10), 255)
    image.paste(0, (0, 0, 10, round(10 * black)))
    if gray is not None:
        image.putpixel((9, 9), gray)
    file = io.BytesIO()
    image.convert(mode).save(file, "PNG")
    return Upload.from_bytes(file.getvalue(), "mask.png")


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1"])
def test_a_good_mask_is_sent_as_it_is(mode: str) -> None:
    """A good mask of any mode keeps its bytes, and its measures are known."""
    upload = picture(mode=mode)
    mask = Mask.from_upload(upload)

    assert mask.upload == upload
    assert (mask.width, mask.height, mask.black) == (10, 10, 0.5)
    assert mask.for_image(picture()) is upload


@pytest.mark.parametrize(
    ("upload", "complaint"),
    [
        (picture(0), "black on at least 10 % of it, where the image is to change, and"),
        (picture(0.0), "is on 0.0%; invert=True swaps sides"),
        (picture(gray=128), "black and white only, and 1 of its 100 pixels are not"),
        (
            Upload.from_bytes(b"\x89PNG\r\n\x1a\n", "m.png"),
            "m.png is not an image that",
        ),
    ],
)
def test_what_the_service_would_refuse(upload: Upload, complaint: str) -> None:
    """A mask that the service refuses is refused here, with the reason."""
    with pytest.raises(ValueError, match=complaint):
        Mask.from_upload(upload)


def test_a_tenth_is_enough() -> None:
    """A mask that is black on exactly 10 % is good."""
    assert Mask.from_upload(picture(0.1)).black == 0.1


def test_invert() -> None:
    """A mask of another tool, white where the image changes, is turned round."""
    mask = Mask.from_upload(picture(0.8), invert=True)

    assert mask.black == pytest.approx(0.2)
    assert mask.upload.filename == "mask.png"
    content = mask.upload.source
    assert isinstance(content, bytes)
    assert Image.open(io.BytesIO(content)).getpixel((0, 0)) == 255


def test_threshold() -> None:
    """Gray pixels are decided where that is asked for."""
    dark = Mask.from_upload(picture(gray=127), threshold=128)
    light = Mask.from_upload(picture(gray=128), threshold=128)

    assert (dark.black, light.black) == (0.51, 0.5)
    with pytest.raises(ValueError, match=r"threshold must be in \[1, 255\], got 0"):
        Mask.from_upload(picture(), threshold=0)


def test_another_size() -> None:
    """A mask of another size than its image is refused."""
    file = io.BytesIO()
    Image.new("RGB", (12, 10)).save(file, "PNG")
    image = Upload.from_bytes(file.getvalue())

    with pytest.raises(ValueError, match="size of its image, 12x10, got 10x10"):
        Mask.from_upload(picture()).for_image(image)


def test_from_files_and_streams(tmp_path: Path) -> None:
    """Masks come from paths and from files that can be rewound, not from pipes."""
    content = picture().source
    assert isinstance(content, bytes)
    path = tmp_path / "mask.png"
    path.write_bytes(content)
    with path.open("rb") as file:
        stream = Upload.from_stream(file, "mask.png")

        assert Mask.from_path(path).black == Mask.from_upload(stream).black == 0.5

    async def chunks():
        yield content

    once = Upload.from_stream(chunks(), "mask.png")
    with pytest.raises(ValueError, match="can be read only once"):
        Mask.from_upload(once)


def test_without_pillow() -> None:
    """Without Pillow the error says what to install."""
    code = (
        "import sys; sys.modules['PIL'] = None\n"
        "from ideogram_async import Mask, Upload\n"
        "Mask.from_upload(Upload.from_bytes(b'x'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert "pip install 'ideogram-async[masks]'" in done.stderr


def test_without_pillow_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, as an error of the configuration."""
    monkeypatch.setitem(sys.modules, "PIL", None)
    upload = Upload.from_bytes(b"x")

    with pytest.raises(Exception, match="masks need Pillow"):
        Mask.from_upload(upload)
