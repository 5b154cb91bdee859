"""Images from a prompt, with Ideogram 3.0."""

from __future__ import annotations

from attrs import field

from ..responses import ImageResponse
from ..vocabulary import (
    AspectRatioV3,
    Prompt,
    TransparentRenderingSpeed,
    UpscaleFactor,
)
from ._base import Request, post
from ._groups import (
    Canvas,
    Character,
    Custom,
    Look,
    Negative,
    Rewriting,
    Sampling,
    Speed,
    Typed,
)


@post("/v1/ideogram-v3/generate", multipart=True)
class GenerateV3(
    Custom,
    Character,
    Typed,
    Look,
    Negative,
    Rewriting,
    Speed,
    Canvas,
    Sampling,
    Request[ImageResponse],
):
    """Generate images from a prompt with Ideogram 3.0.

    Attributes:
        prompt: What to draw.
        enable_copyright_detection: Whether likenesses and logos are checked for.

    Raises:
        ValueError: A field is out of its range, or two fields exclude each other.

    Source: https://developer.ideogram.ai/api-reference/api-reference/generate-v3
    """

    prompt: Prompt = field(kw_only=False)
    enable_copyright_detection: bool | None = None


@post("/v1/ideogram-v3/generate-transparent", multipart=True)
class GenerateTransparentV3(
    Custom, Negative, Rewriting, Sampling, Request[ImageResponse]
):
    """Generate images with a transparent background with Ideogram 3.0.

    Attributes:
        prompt: What to draw.
        aspect_ratio: Width to height, such as `"16x9"`; `"1x1"` if omitted.
        rendering_speed: Speed against quality; sets the price. `"DEFAULT"` if omitted.
        upscale_factor: How much to enlarge the result; `"X1"` if omitted.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/api-reference/generate-transparent-v3
    """

    prompt: Prompt = field(kw_only=False)
    aspect_ratio: AspectRatioV3 | None = None
    rendering_speed: TransparentRenderingSpeed | None = None
    upscale_factor: UpscaleFactor | None = None
