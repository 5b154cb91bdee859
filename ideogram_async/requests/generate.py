"""Images from a prompt."""

from __future__ import annotations

from attrs import field

from ..responses import ImageResponse
from ..vocabulary import Prompt
from ._base import Request, post
from ._groups import Canvas, Sampling, Style


@post("/v1/ideogram-v3/generate", multipart=True)
class GenerateV3(Style, Canvas, Sampling, Request[ImageResponse]):
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
