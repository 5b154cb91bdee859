"""Designs: images with text that can still be edited, with Ideogram 3.0."""

from __future__ import annotations

from attrs import field

from ..responses import LayeredImageResponse
from ..vocabulary import FontUpload, ImageList, ImageUpload, Prompt, Seed
from ._base import Fields, Request, fields, post
from ._groups import (
    Canvas,
    Custom,
    Look,
    Negative,
    Rewriting,
    Sampling,
    Speed,
    Typed,
)


@fields
class Fonts(Fields):
    """Fonts for the text of a design, by role.

    Attributes:
        font_file_h1: Font file for headings: .ttf, .otf, .woff or .woff2, at most 5 MB.
        font_name_h1: Name of a font for headings.
        font_file_h2: Font file for subheadings.
        font_name_h2: Name of a font for subheadings.
        font_file_body: Font file for running text.
        font_name_body: Name of a font for running text.
        font_file_small: Font file for small print.
        font_name_small: Name of a font for small print.
        reference_asset_images: Up to ten images to use in the design.
    """

    font_file_h1: FontUpload | None = None
    font_name_h1: str | None = None
    font_file_h2: FontUpload | None = None
    font_name_h2: str | None = None
    font_file_body: FontUpload | None = None
    font_name_body: str | None = None
    font_file_small: FontUpload | None = None
    font_name_small: str | None = None
    reference_asset_images: ImageList | None = None


@post("/v1/ideogram-v3/generate-design", multipart=True)
class GenerateDesignV3(
    Fonts,
    Custom,
    Typed,
    Look,
    Negative,
    Rewriting,
    Speed,
    Canvas,
    Sampling,
    Request[LayeredImageResponse],
):
    """Generate a design of images and editable text with Ideogram 3.0.

    Attributes:
        prompt: What to design.

    Raises:
        ValueError: A field is out of its range, or two fields exclude each other.

    Source: https://developer.ideogram.ai/api-reference/api-reference/generate-design-v3
    """

    prompt: Prompt = field(kw_only=False)


@post("/v1/ideogram-v3/layerize-design", multipart=True)
class LayerizeDesignV3(Fonts, Request[LayeredImageResponse]):
    """Take a flat design apart into images and editable text with Ideogram 3.0.

    Attributes:
        flat_graphic_image: The design: PNG, JPEG or WebP, at most 10 MB.
        prompt: What the design shows; the service looks for itself if omitted.
        seed: [0, 2147483647]; random if omitted.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/api-reference/layerize-design-v3
    """

    flat_graphic_image: ImageUpload
    prompt: Prompt | None = None
    seed: Seed | None = None
