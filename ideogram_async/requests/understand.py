"""What an image shows: descriptions, text layers, better prompts."""

from __future__ import annotations

from attrs import field

from ..responses import (
    DescribeResponse,
    DescribeV4Response,
    LayerizeTextResponse,
    MagicPromptV4Response,
)
from ..vocabulary import (
    AspectRatioV4,
    DescribeModelVersion,
    ImageUpload,
    Prompt,
    Seed,
)
from ._base import Request, post


@post("/describe", multipart=True)
class Describe(Request[DescribeResponse]):
    """Describe an image in words.

    Attributes:
        image_file: The image: PNG, JPEG or WebP, at most 10 MB.
        describe_model_version: `"V_3"` if omitted.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/api-reference/describe
    """

    image_file: ImageUpload
    describe_model_version: DescribeModelVersion | None = None


@post("/v1/ideogram-v3/layerize-text", multipart=True)
class LayerizeTextV3(Request[LayerizeTextResponse]):
    """Take the text off an image, and return it as blocks that can be edited.

    Attributes:
        image: The image: PNG, JPEG or WebP, at most 10 MB.
        prompt: What the image shows; the service looks for itself if omitted.
        seed: [0, 2147483647]; random if omitted.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/api-reference/layerize-text-v3
    """

    image: ImageUpload
    prompt: Prompt | None = None
    seed: Seed | None = None


@post("/v1/ideogram-v4/describe", multipart=True)
class DescribeV4(Request[DescribeV4Response]):
    """Describe an image as a structured prompt of Ideogram 4.0.

    Attributes:
        image_file: The image: PNG, JPEG or WebP, at most 10 MB.
        include_bbox: Whether elements have their place; they have if omitted.
        include_style_descriptions: Whether the style is described; not if omitted.
        include_tags: Whether there are tags; not if omitted.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/api-reference/describe-v4
    """

    image_file: ImageUpload
    include_bbox: bool | None = None
    include_style_descriptions: bool | None = None
    include_tags: bool | None = None


@post("/v1/ideogram-v4/magic-prompt")
class MagicPromptV4(Request[MagicPromptV4Response]):
    """Turn a short prompt into a structured prompt of Ideogram 4.0.

    Attributes:
        text_prompt: What to draw.
        aspect_ratio: Width to height, such as `"16x9"`; `"AUTO"` if omitted.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/api-reference/magic-prompt-v4
    """

    text_prompt: Prompt = field(kw_only=False)
    aspect_ratio: AspectRatioV4 | None = None
