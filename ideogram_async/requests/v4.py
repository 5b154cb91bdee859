"""Images with Ideogram 4.0, at once or later."""

from __future__ import annotations

from typing import ClassVar

from attrs import field

from ..responses import (
    AsyncGenerationResponse,
    GenerationResponse,
    ImageResponse,
)
from ..vocabulary import (
    Identifier,
    LargeImageUpload,
    ModelUri,
    Percent,
    Prompt,
    ResolutionV4,
    Seed,
    TransparentRenderingSpeed,
    WebhookUrl,
)
from ._base import ExactlyOne, Fields, Relation, Request, fields, get, post
from ._prompts import JsonPrompt


@fields
class OutputV4(Fields):
    """The size and the quality of the images.

    Attributes:
        resolution: Width x height in pixels, such as `"2048x2048"`; the service decides
            if omitted.
        rendering_speed: Speed against quality; sets the price. `"DEFAULT"` if omitted.
        enable_copyright_detection: Whether likenesses and logos are checked for.
    """

    resolution: ResolutionV4 | None = None
    rendering_speed: TransparentRenderingSpeed | None = None
    enable_copyright_detection: bool | None = None


@fields
class PromptV4(OutputV4):
    """What to draw.

    Attributes:
        text_prompt: What to draw, in words; the service rewrites it.
        json_prompt: What to draw, as a structure, which is taken as it is. One of the
            two is given.
        seed: [0, 2147483647]; the same seed gives the same image. Random if omitted.
        magic_prompt_system_prompt_config_id: Id of a configuration of the rewriter.
        custom_model_uri: A trained model, `"model/<name>/version/<version>"`.
    """

    relations: ClassVar[tuple[Relation, ...]] = (
        ExactlyOne("text_prompt", "json_prompt"),
    )

    text_prompt: Prompt | None = field(default=None, kw_only=False)
    json_prompt: JsonPrompt | None = None
    seed: Seed | None = None
    magic_prompt_system_prompt_config_id: str | None = None
    custom_model_uri: ModelUri | None = None


@post("/v1/ideogram-v4/generate", multipart=True)
class GenerateV4(PromptV4, Request[ImageResponse]):
    """Generate an image from a prompt with Ideogram 4.0.

    Raises:
        ValueError: A field is out of its range, or not exactly one prompt is given.

    Source: https://developer.ideogram.ai/api-reference/api-reference/generate-v4
    """


@post("/v1/ideogram-v4/async/generate", multipart=True, query=("webhook_url",))
class SubmitGenerateV4(PromptV4, Request[AsyncGenerationResponse]):
    """Start to generate an image with Ideogram 4.0; the answer is its id.

    Attributes:
        webhook_url: An https address that is told when the image is there.

    Raises:
        ValueError: A field is out of its range, or not exactly one prompt is given.

    Source: https://developer.ideogram.ai/api-reference/api-reference/async-generate-v4
    """

    webhook_url: WebhookUrl


@get("/v1/generations/{generation_id}")
class GetGeneration(Request[GenerationResponse]):
    """Ask how far a generation is.

    Attributes:
        generation_id: What `SubmitGenerateV4` answered.

    Raises:
        ValueError: It can be no id.

    Source: https://developer.ideogram.ai/api-reference/api-reference/get-generation
    """

    generation_id: Identifier = field(kw_only=False)


@post("/v1/ideogram-v4/remix", multipart=True)
class RemixV4(OutputV4, Request[ImageResponse]):
    """Remix an image under a new prompt with Ideogram 4.0.

    Attributes:
        text_prompt: What to draw.
        image: The image to start from: PNG, JPEG or WebP, at most 25 MB.
        image_weight: How much of the image to keep, in percent, [1, 100]; the service
            decides if omitted.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/api-reference/remix-v4
    """

    text_prompt: Prompt = field(kw_only=False)
    image: LargeImageUpload
    image_weight: Percent | None = None
