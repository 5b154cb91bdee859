"""Images from images, with Ideogram 3.0."""

from __future__ import annotations

from typing import ClassVar

from attrs import field

from ..responses import ImageResponse, RemoveBackgroundResponse
from ..vocabulary import (
    ImageList,
    ImageUpload,
    Percent,
    Prompt,
    ResolutionV3,
    SingleImageUpload,
    StylePresetV3,
    UrlList,
)
from ._base import Exclusive, Relation, Request, fields, post
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


@fields
class Repainting(Custom, Character, Typed, Look, Rewriting, Speed, Sampling):
    """What is repainted, and where.

    Attributes:
        prompt: What the whole image shall show.
        image: The image to change: PNG, JPEG or WebP, at most 10 MB.
        mask: Black where the image is to change, white elsewhere; of the image's size,
            black on at least 10 % of it, at most 10 MB. See `Mask`.
    """

    prompt: Prompt = field(kw_only=False)
    image: ImageUpload
    mask: ImageUpload


@post("/v1/ideogram-v3/inpaint", multipart=True)
class InpaintV3(Repainting, Request[ImageResponse]):
    """Repaint the masked part of an image with Ideogram 3.0.

    Raises:
        ValueError: A field is out of its range, or two fields exclude each other.

    Source: https://developer.ideogram.ai/api-reference/api-reference/inpaint-v3
    """


@post("/v1/ideogram-v3/edit", multipart=True)
class EditV3(Repainting, Request[ImageResponse]):
    """Repaint the masked part of an image: the older address of `InpaintV3`.

    Raises:
        ValueError: A field is out of its range, or two fields exclude each other.

    Source: https://developer.ideogram.ai/api-reference/api-reference/edit-v3
    """


@post("/v1/ideogram-v3/remix", multipart=True)
class RemixV3(
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


@post("/v1/ideogram-v3/reframe", multipart=True)
class ReframeV3(Look, Speed, Sampling, Request[ImageResponse]):
    """Extend a square image to another size with Ideogram 3.0.

    Attributes:
        image: The image to extend: PNG, JPEG or WebP, at most 10 MB.
        resolution: Width x height of the result in pixels, such as `"1536x512"`.

    Raises:
        ValueError: A field is out of its range, or two fields exclude each other.

    Source: https://developer.ideogram.ai/api-reference/api-reference/reframe-v3
    """

    image: ImageUpload
    resolution: ResolutionV3


@post("/v1/ideogram-v3/replace-background", multipart=True)
class ReplaceBackgroundV3(Look, Rewriting, Speed, Sampling, Request[ImageResponse]):
    """Put the subject of an image before another background with Ideogram 3.0.

    Attributes:
        prompt: What the background shall show.
        image: The image whose foreground stays: PNG, JPEG or WebP, at most 10 MB.

    Raises:
        ValueError: A field is out of its range, or two fields exclude each other.

    Source: https://developer.ideogram.ai/api-reference/api-reference/replace-background-v3
    """

    prompt: Prompt = field(kw_only=False)
    image: ImageUpload


@post("/v1/ideogram-v3/try-on", multipart=True)
class TryOnV3(Typed, Rewriting, Speed, Sampling, Request[ImageResponse]):
    """Show a person in a piece of clothing with Ideogram 3.0.

    Attributes:
        prompt: `"Person wearing this piece of clothing"` if omitted.
        image: The person: PNG, JPEG or WebP, at most 10 MB.
        product_reference_images: One file that shows the clothing.
        style_preset: A named artistic style.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/api-reference/try-on-v3
    """

    prompt: Prompt | None = field(default=None, kw_only=False)
    image: ImageUpload
    product_reference_images: SingleImageUpload
    style_preset: StylePresetV3 | None = None


@post("/v1/remove-background", multipart=True)
class RemoveBackground(Request[RemoveBackgroundResponse]):
    """Cut the subject of an image out; the answer holds one image.

    Attributes:
        image: The image: PNG, JPEG or WebP, at most 10 MB.

    Raises:
        ValueError: The image is not one.

    Source: https://developer.ideogram.ai/api-reference/api-reference/remove-background
    """

    image: ImageUpload


@post("/v1/edit", multipart=True)
class EditWithPrompt(Rewriting, Canvas, Sampling, Request[ImageResponse]):
    """Change images as a prompt says.

    Attributes:
        prompt: What to change.
        images: One to ten PNG, JPEG or WebP files of at most 10 MB each; never together
            with `image_urls`.
        image_urls: One to ten links of the service to images.
        transparent_background: Whether the result has one; not if omitted.

    Raises:
        ValueError: A field is out of its range, or two fields exclude each other.

    Source: https://developer.ideogram.ai/api-reference/api-reference/edit-images-with-prompt
    """

    relations: ClassVar[tuple[Relation, ...]] = (Exclusive("images", "image_urls"),)

    prompt: Prompt = field(kw_only=False)
    images: ImageList | None = None
    image_urls: UrlList | None = None
    transparent_background: bool | None = None
