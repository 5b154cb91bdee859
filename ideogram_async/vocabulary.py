"""The closed sets and ranges of the service, each written once, as types.

A `Literal` is a closed set of what may be sent. An `Annotated` type adds the range,
pattern or size that the service accepts; every request class checks its fields
against these at construction. Source: https://developer.ideogram.ai/api-reference
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from ._rules import Between, Count, MediaTypes, NotBlank, Pattern, TotalSize
from .uploads import Upload


AspectRatioV3 = Literal[
    "1x3",
    "3x1",
    "1x2",
    "2x1",
    "9x16",
    "16x9",
    "10x16",
    "16x10",
    "2x3",
    "3x2",
    "3x4",
    "4x3",
    "4x5",
    "5x4",
    "1x1",
]
"""Width to height; the service takes 1x1 if neither this nor a size is given."""

ResolutionV3 = Literal[
    "512x1536",
    "576x1408",
    "576x1472",
    "576x1536",
    "640x1344",
    "640x1408",
    "640x1472",
    "640x1536",
    "704x1152",
    "704x1216",
    "704x1280",
    "704x1344",
    "704x1408",
    "704x1472",
    "736x1312",
    "768x1088",
    "768x1216",
    "768x1280",
    "768x1344",
    "800x1280",
    "832x960",
    "832x1024",
    "832x1088",
    "832x1152",
    "832x1216",
    "832x1248",
    "864x1152",
    "896x960",
    "896x1024",
    "896x1088",
    "896x1120",
    "896x1152",
    "960x832",
    "960x896",
    "960x1024",
    "960x1088",
    "1024x832",
    "1024x896",
    "1024x960",
    "1024x1024",
    "1088x768",
    "1088x832",
    "1088x896",
    "1088x960",
    "1120x896",
    "1152x704",
    "1152x832",
    "1152x864",
    "1152x896",
    "1216x704",
    "1216x768",
    "1216x832",
    "1248x832",
    "1280x704",
    "1280x768",
    "1280x800",
    "1312x736",
    "1344x640",
    "1344x704",
    "1344x768",
    "1408x576",
    "1408x640",
    "1408x704",
    "1472x576",
    "1472x640",
    "1472x704",
    "1536x512",
    "1536x576",
    "1536x640",
]
"""Width x height in pixels, Ideogram 3.0."""

RenderingSpeed = Literal["FLASH", "TURBO", "DEFAULT", "QUALITY"]
"""Speed against quality; it sets the price."""

MagicPromptOption = Literal["AUTO", "ON", "OFF"]
"""Whether the service rewrites the prompt before it generates."""

StyleTypeV3 = Literal["AUTO", "GENERAL", "REALISTIC", "DESIGN", "FICTION"]
"""Broad style, Ideogram 3.0."""

StylePresetV3 = Literal[
    "80S_ILLUSTRATION",
    "90S_NOSTALGIA",
    "ABSTRACT_ORGANIC",
    "ANALOG_NOSTALGIA",
    "ART_BRUT",
    "ART_DECO",
    "ART_POSTER",
    "AURA",
    "AVANT_GARDE",
    "BAUHAUS",
    "BLUEPRINT",
    "BLURRY_MOTION",
    "BRIGHT_ART",
    "C4D_CARTOON",
    "CHILDRENS_BOOK",
    "COLLAGE",
    "COLORING_BOOK_I",
    "COLORING_BOOK_II",
    "CUBISM",
    "DARK_AURA",
    "DOODLE",
    "DOUBLE_EXPOSURE",
    "DRAMATIC_CINEMA",
    "EDITORIAL",
    "EMOTIONAL_MINIMAL",
    "ETHEREAL_PARTY",
    "EXPIRED_FILM",
    "FLAT_ART",
    "FLAT_VECTOR",
    "FOREST_REVERIE",
    "GEO_MINIMALIST",
    "GLASS_PRISM",
    "GOLDEN_HOUR",
    "GRAFFITI_I",
    "GRAFFITI_II",
    "HALFTONE_PRINT",
    "HIGH_CONTRAST",
    "HIPPIE_ERA",
    "ICONIC",
    "JAPANDI_FUSION",
    "JAZZY",
    "LONG_EXPOSURE",
    "MAGAZINE_EDITORIAL",
    "MINIMAL_ILLUSTRATION",
    "MIXED_MEDIA",
    "MONOCHROME",
    "NIGHTLIFE",
    "OIL_PAINTING",
    "OLD_CARTOONS",
    "PAINT_GESTURE",
    "POP_ART",
    "RETRO_ETCHING",
    "RIVIERA_POP",
    "SPOTLIGHT_80S",
    "STYLIZED_RED",
    "SURREAL_COLLAGE",
    "TRAVEL_POSTER",
    "VINTAGE_GEO",
    "VINTAGE_POSTER",
    "WATERCOLOR",
    "WEIRD",
    "WOODBLOCK_PRINT",
]
"""Named artistic style, Ideogram 3.0."""

ColorPalettePresetName = Literal[
    "EMBER",
    "FRESH",
    "JUNGLE",
    "MAGIC",
    "MELON",
    "MOSAIC",
    "PASTEL",
    "ULTRAMARINE",
]
"""Named color palette."""

Prompt = Annotated[str, NotBlank()]
"""What to draw; not blank."""

Seed = Annotated[int, Between(0, 2_147_483_647)]
"""The same seed, prompt and settings give the same image."""

NumImages = Annotated[int, Between(1, 8)]
"""How many images to make; each takes a place in the limit and is paid."""

Percent = Annotated[int, Between(1, 100)]
"""A whole number of percent."""

ColorHex = Annotated[str, Pattern(r"#(?:[0-9a-fA-F]{3}){1,2}", "#b470b3")]
"""A color as three or six hexadecimal digits after a number sign."""

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

SingleImageUpload = Annotated[
    tuple[ImageUpload, ...], Count(1, 1), TotalSize(MAX_IMAGE_BYTES)
]
"""A list that takes exactly one PNG, JPEG or WebP today, of at most 10 MB."""
