"""What drives the sandbox in these tests: aiohttp alone, and nothing of ours."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
from PIL import Image


KEY = {"Api-Key": "any key"}


async def post(
    http: aiohttp.ClientSession, url: str, **options: Any
) -> tuple[int, dict[str, Any]]:
    """Post and return the status and the JSON answer."""
    async with http.post(url, **{"headers": KEY, **options}) as response:
        return response.status, await response.json()


async def get(http: aiohttp.ClientSession, url: str) -> tuple[int, dict[str, Any]]:
    """Get and return the status and the JSON answer."""
    async with http.get(url, headers=KEY) as response:
        return response.status, await response.json()


async def asked(
    http: aiohttp.ClientSession, url: str, *parts: tuple[str, str | bytes]
) -> dict[str, Any]:
    """Post a form, which must succeed, and return the JSON answer."""
    status, answer = await post(http, url, data=form(*parts))
    assert status == 200, answer
    return answer


async def fetched(http: aiohttp.ClientSession, url: str) -> Image.Image:
    """Return the picture behind a link."""
    async with http.get(url) as response:
        assert (response.status, response.content_type) == (200, "image/png")
        return Image.open(io.BytesIO(await response.read()))


def written(image: Image.Image, kind: str = "PNG") -> bytes:
    """Return *image* as a file."""
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def png(color: str = "red", size: tuple[int, int] = (64, 64)) -> bytes:
    """Return a PNG file of one color."""
    return written(Image.new("RGB", size, color))


def photo(size: tuple[int, int] = (240, 200)) -> Image.Image:
    """Return a picture in which every pixel is another one."""
    image = Image.new("RGB", size)
    image.putdata(
        [
            (x % 256, y % 256, (x * y) % 256)
            for y in range(size[1])
            for x in range(size[0])
        ]
    )
    return image


def mask(
    box: tuple[int, int, int, int], size: tuple[int, int] = (240, 200)
) -> Image.Image:
    """Return a mask that is black in *box* and white elsewhere."""
    image = Image.new("L", size, 255)
    image.paste(0, box)
    return image


def form(*parts: tuple[str, str | bytes]) -> aiohttp.FormData:
    """Return a multipart form, whose bytes are files; `name/file` names the file."""
    data = aiohttp.FormData(default_to_multipart=True)
    for name, content in parts:
        if isinstance(content, bytes):
            field, _, filename = name.partition("/")
            file = io.BytesIO(content)
            data.add_field(field, file, filename=filename or "x.png")
        else:
            data.add_field(name, content)
    return data
