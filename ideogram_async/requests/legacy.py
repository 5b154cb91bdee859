"""Images with the models before Ideogram 3.0, and upscaling."""

from __future__ import annotations

from typing import ClassVar

from attrs import field

from ..responses import ImageResponse
from ..vocabulary import (
    AnySeed,
    AspectRatio,
    EditModel,
    ImageUpload,
    MagicPromptOption,
    MagicPromptVersion,
    ModelEnum,
    NumImages,
    Percent,
    Prompt,
    Resolution,
    StyleType,
)
from ._base import Exclusive, Fields, OnlyForModels, Relation, Request, fields, post
from ._groups import ColorPalette, Negative, Sampling


ENVELOPE = "image_request"


@fields
class LegacySampling(Fields):
    """How many images, and which.

    Attributes:
        seed: [0, 2147483647], or [1, 9999999999] on Pixazo; the same seed gives the
            same image. Random if omitted.
        num_images: How many images to make, [1, 8]; each is paid. 1 if omitted.
    """

    seed: AnySeed | None = None
    num_images: NumImages | None = None


@fields
class LegacyRewriting(Fields):
    """Whether the prompt is rewritten.

    Attributes:
        magic_prompt_option: Whether the service rewrites the prompt; it decides if
            omitted.
        magic_prompt_system_prompt_config_id: Id of a configuration of the rewriter.
    """

    magic_prompt_option: MagicPromptOption | None = None
    magic_prompt_system_prompt_config_id: str | None = None


@fields
class LegacyVersion(Fields):
    """Which rewriter.

    Attributes:
        magic_prompt_version: Version of the rewriter; the newest if omitted.
    """

    magic_prompt_version: MagicPromptVersion | None = None


@fields
class LegacyImage(Fields):
    """What a legacy image is made of.

    Attributes:
        model: `"V_2"` if omitted.
        aspect_ratio: Width to height, such as `"ASPECT_16_9"`; `"ASPECT_1_1"` if this
            and `resolution` are omitted.
        resolution: Such as `"RESOLUTION_1024_1024"`, width first, in pixels; only for
            V_2 and V_2_TURBO, and never together with `aspect_ratio`.
        style_type: Broad style; not for V_1 and V_1_TURBO.
        color_palette: A preset, or one to eight colors; only for V_2 and V_2_TURBO.
    """

    relations: ClassVar[tuple[Relation, ...]] = (
        Exclusive("resolution", "aspect_ratio"),
        OnlyForModels("resolution", ("V_2", "V_2_TURBO", "AUTO")),
        OnlyForModels("style_type", ("V_2", "V_2_TURBO", "V_2A", "V_2A_TURBO", "AUTO")),
        OnlyForModels("color_palette", ("V_2", "V_2_TURBO", "AUTO")),
        OnlyForModels(
            "negative_prompt", ("V_1", "V_1_TURBO", "V_2", "V_2_TURBO", "AUTO")
        ),
    )

    model: ModelEnum | None = None
    aspect_ratio: AspectRatio | None = None
    resolution: Resolution | None = None
    style_type: StyleType | None = None
    color_palette: ColorPalette | None = None


@post("/generate", envelope=ENVELOPE)
class GenerateLegacy(
    LegacyImage,
    Negative,
    LegacyVersion,
    LegacyRewriting,
    LegacySampling,
    Request[ImageResponse],
):
    """Generate images from a prompt with a legacy model.

    Attributes:
        prompt: What to draw.
        negative_prompt: What to leave out; the prompt wins over it. Not for V_2A and
            V_2A_TURBO.

    Raises:
        ValueError: A field is out of its range, excluded by another or by the model.

    Source: https://developer.ideogram.ai/api-reference/api-reference/generate
    """

    prompt: Prompt = field(kw_only=False)


@post("/remix", multipart=True, envelope=ENVELOPE)
class RemixLegacy(
    LegacyImage,
    Negative,
    LegacyVersion,
    LegacyRewriting,
    LegacySampling,
    Request[ImageResponse],
):
    """Remix an image under a new prompt with a legacy model.

    The image is cropped to the chosen aspect ratio before it is used.

    Attributes:
        prompt: What to draw.
        image_file: The image to start from: PNG, JPEG or WebP, at most 10 MB.
        image_weight: How much of the image to keep, in percent, [1, 100]; the service
            takes 50 if omitted.
        negative_prompt: What to leave out; the prompt wins over it. Not for V_2A and
            V_2A_TURBO.

    Raises:
        ValueError: A field is out of its range, excluded by another or by the model.

    Source: https://developer.ideogram.ai/api-reference/api-reference/remix
    """

    prompt: Prompt = field(kw_only=False)
    image_file: ImageUpload
    image_weight: Percent | None = None


@post("/edit", multipart=True)
class EditLegacy(LegacyRewriting, LegacySampling, Request[ImageResponse]):
    """Repaint the masked part of an image with a legacy model.

    Attributes:
        prompt: What the whole image shall show.
        image_file: The image to change: PNG, JPEG or WebP, at most 10 MB.
        mask: Black where the image is to change, white elsewhere; of the image's size,
            black on at least 10 % of it, at most 10 MB; only Pixazo does without. See
            `Mask`.
        model: `"V_2"` or `"V_2_TURBO"`.
        style_type: Broad style.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/api-reference/edit
    """

    prompt: Prompt = field(kw_only=False)
    image_file: ImageUpload
    mask: ImageUpload | None = None
    model: EditModel
    style_type: StyleType | None = None


@post("/reframe", multipart=True)
class ReframeLegacy(Sampling, Request[ImageResponse]):
    """Extend a square image to another size with a legacy model.

    Attributes:
        image_file: The image to extend: PNG, JPEG or WebP, at most 10 MB.
        resolution: Such as `"RESOLUTION_1536_512"`, width first, in pixels.
        model: Such as `"V_2"`.
        style_type: Broad style; not for V_1 and V_1_TURBO.

    Raises:
        ValueError: A field is out of its range, or excluded by the model.

    Source: https://developer.ideogram.ai/api-reference/api-reference/reframe
    """

    relations: ClassVar[tuple[Relation, ...]] = (
        OnlyForModels("style_type", ("V_2", "V_2_TURBO", "V_2A", "V_2A_TURBO", "AUTO")),
    )

    image_file: ImageUpload
    resolution: Resolution
    model: ModelEnum
    style_type: StyleType | None = None


@post("/upscale", multipart=True, envelope=ENVELOPE)
class Upscale(LegacyVersion, LegacyRewriting, Sampling, Request[ImageResponse]):
    """Double the width and height of an image.

    Attributes:
        image_file: The image: PNG, JPEG or WebP, at most 10 MB.
        prompt: What the image shows; the service looks for itself if omitted.
        resemblance: How close to stay to it, in percent, [1, 100]; 50 if omitted.
        detail: How much detail to add, in percent, [1, 100]; 50 if omitted.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/api-reference/upscale
    """

    image_file: ImageUpload
    prompt: Prompt | None = None
    resemblance: Percent | None = None
    detail: Percent | None = None
