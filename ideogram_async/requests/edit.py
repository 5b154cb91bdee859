"""Images from images."""

from __future__ import annotations

from attrs import field

from ..responses import ImageResponse
from ..vocabulary import ImageUpload, Percent, Prompt
from ._base import Request, post
from ._groups import Canvas, Sampling, Style


@post("/v1/ideogram-v3/remix", multipart=True)
class RemixV3(Style, Canvas, Sampling, Request[ImageResponse]):
    """Remix an image under a new prompt with Ideogram 3.0.

    The image is cropped to the chosen aspect ratio before it is used.

    Attributes:
        prompt: What to draw.
        image: The image to start from: PNG, JPEG or WebP, at most 10 MB.
        image_weight: How much of the image to keep, in percent, [1, 100]; the service
            takes 50 if omitted.

    Raises:
        ValueError: A field is out of its range, or two fields exclude each other.

    Source: https://developer.ideogram.ai/api-reference/api-reference/remix-v3
    """

    prompt: Prompt = field(kw_only=False)
    image: ImageUpload
    image_weight: Percent | None = None
