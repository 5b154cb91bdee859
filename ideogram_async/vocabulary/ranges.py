"""The ranges, patterns and sizes of the service, each written once, as types.

Every request class checks its fields against these at construction. Source:
https://developer.ideogram.ai/api-reference
"""

from __future__ import annotations

from typing import Annotated, Final

from .._rules import Between, Count, MediaTypes, NotBlank, Pattern, TotalSize
from ..uploads import Upload


Prompt = Annotated[str, NotBlank()]
"""What to draw; not blank."""

Seed = Annotated[int, Between(0, 2_147_483_647)]
"""The same seed, prompt and settings give the same image."""

AnySeed = Annotated[int, Between(0, 9_999_999_999)]
"""A seed of the legacy models; how far it goes depends on the provider."""

NumImages = Annotated[int, Between(1, 8)]
"""How many images to make; each takes a place in the limit and is paid."""

Identifier = Annotated[str, Pattern(r"(?!\.{1,2}$)[^\s/?#]+", "3Zb2Kx0pQmWnT8yRvUcA1g")]
"""An id that the service gave: one segment of a path."""

ModelName = Annotated[str, Pattern(r"[A-Za-z0-9 -]{5,30}", "my brand style")]
"""5 to 30 letters, digits, spaces and hyphens."""

WebhookUrl = Annotated[str, Pattern(r"https://\S{1,2040}", "https://example.com/hook")]
"""An https address of at most 2048 characters that anybody can reach."""

Percent = Annotated[int, Between(1, 100)]
"""A whole number of percent."""

ColorHex = Annotated[str, Pattern(r"#(?:[0-9a-fA-F]{3}){1,2}", "#b470b3")]
"""A color as three or six hexadecimal digits after a number sign."""

LongColorHex = Annotated[str, Pattern(r"#[0-9a-fA-F]{6}", "#b470b3")]
"""A color as six hexadecimal digits after a number sign."""

BoundingBox = Annotated[tuple[Annotated[int, Between(0, 1000)], ...], Count(4, 4)]
"""Top, left, bottom and right, in thousandths of the image."""

ColorWeight = Annotated[float, Between(0.05, 1.0)]
"""The share of a color in a palette."""

StyleCode = Annotated[str, Pattern(r"[0-9a-fA-F]{8}", "0a1B2c3D")]
"""A style of the service, as eight hexadecimal digits."""

ModelUri = Annotated[
    str, Pattern(r"model/[^/\s]+/version/[^/\s]+", "model/my-model/version/1")
]
"""A trained model and its version."""

MAX_IMAGE_BYTES: Final = 10 * 1024 * 1024
"""What the service calls 10MB, read generously: a refusal costs nothing."""

IMAGE_TYPES: Final = MediaTypes(("image/png", "image/jpeg", "image/webp"))

ImageUpload = Annotated[Upload, IMAGE_TYPES, TotalSize(MAX_IMAGE_BYTES)]
"""A PNG, JPEG or WebP of at most 10 MB."""

ImageUploads = Annotated[tuple[ImageUpload, ...], TotalSize(MAX_IMAGE_BYTES)]
"""PNG, JPEG or WebP files of at most 10 MB together."""

LargeImageUpload = Annotated[Upload, IMAGE_TYPES, TotalSize(int(2.5 * MAX_IMAGE_BYTES))]
"""A PNG, JPEG or WebP of at most 25 MB."""

ImageList = Annotated[tuple[ImageUpload, ...], Count(1, 10)]
"""One to ten PNG, JPEG or WebP files of at most 10 MB each."""

UrlList = Annotated[tuple[str, ...], Count(1, 10)]
"""One to ten links."""

FontUpload = Annotated[
    Upload,
    MediaTypes(("font/ttf", "font/otf", "font/woff", "font/woff2")),
    TotalSize(MAX_IMAGE_BYTES // 2),
]
"""A .ttf, .otf, .woff or .woff2 font of at most 5 MB."""

DatasetFiles = Annotated[
    tuple[
        Annotated[
            Upload, MediaTypes((*IMAGE_TYPES.allowed, "text/plain", "application/zip"))
        ],
        ...,
    ],
    Count(1, 1000),
]
"""PNG, JPEG or WebP images, .txt captions of the same name, and ZIP files of both."""

SingleImageUpload = Annotated[
    tuple[ImageUpload, ...], Count(1, 1), TotalSize(MAX_IMAGE_BYTES)
]
"""A list that takes exactly one PNG, JPEG or WebP today, of at most 10 MB."""
