"""Fields that several request classes share."""

from __future__ import annotations

from typing import Annotated, ClassVar

from .._rules import Count
from ..vocabulary import (
    AspectRatioV3,
    ColorHex,
    ColorPalettePresetName,
    ColorWeight,
    ImageUploads,
    MagicPromptOption,
    ModelUri,
    NumImages,
    RenderingSpeed,
    ResolutionV3,
    Seed,
    SingleImageUpload,
    StyleCode,
    StylePresetV3,
    StyleTypeV3,
)
from ._base import Exclusive, Fields, Relation, SameCount, fields


@fields
class ColorPaletteMember(Fields):
    """One color of a palette.

    Attributes:
        color_hex: Such as `"#b470b3"`; three or six digits.
        color_weight: Share of the color, [0.05, 1.0]; best in descending order.
    """

    color_hex: ColorHex
    color_weight: ColorWeight | None = None


@fields
class ColorPalette(Fields):
    """The colors to use: a preset by its name, or members.

    Attributes:
        name: A preset, such as `"PASTEL"`.
        members: One to eight colors.

    Raises:
        ValueError: Neither a name nor members are given, or both.
    """

    name: ColorPalettePresetName | None = None
    members: Annotated[tuple[ColorPaletteMember, ...], Count(1, 8)] | None = None

    def __attrs_post_init__(self) -> None:
        """Check that there is exactly one of the two forms."""
        super().__attrs_post_init__()
        if (self.name is None) == (self.members is None):
            raise ValueError("a ColorPalette takes either name or members")


@fields
class Sampling(Fields):
    """How many images, and which.

    Attributes:
        seed: [0, 2147483647]; the same seed gives the same image. Random if omitted.
        num_images: How many images to make, [1, 8]; each is paid. 1 if omitted.
    """

    seed: Seed | None = None
    num_images: NumImages | None = None


@fields
class Speed(Fields):
    """How fast.

    Attributes:
        rendering_speed: Speed against quality; sets the price. `"DEFAULT"` if omitted.
    """

    rendering_speed: RenderingSpeed | None = None


@fields
class Rewriting(Fields):
    """Whether the prompt is rewritten.

    Attributes:
        magic_prompt: Whether the service rewrites the prompt; it decides if omitted.
        magic_prompt_system_prompt_config_id: Id of a configuration of the rewriter.
    """

    magic_prompt: MagicPromptOption | None = None
    magic_prompt_system_prompt_config_id: str | None = None


@fields
class Canvas(Fields):
    """The size of the images.

    Attributes:
        resolution: Width x height in pixels, such as `"1024x1024"`; never together
            with `aspect_ratio`.
        aspect_ratio: Width to height, such as `"16x9"`; `"1x1"` if both are omitted.
    """

    relations: ClassVar[tuple[Relation, ...]] = (
        Exclusive("resolution", "aspect_ratio"),
    )

    resolution: ResolutionV3 | None = None
    aspect_ratio: AspectRatioV3 | None = None


@fields
class Look(Fields):
    """What the images look like.

    Attributes:
        color_palette: A preset, or one to eight colors.
        style_codes: Styles of the service, eight hexadecimal digits each; never
            together with `style_type` or `style_reference_images`.
        style_preset: A named artistic style.
        style_reference_images: PNG, JPEG or WebP files, at most 10 MB together.
    """

    relations: ClassVar[tuple[Relation, ...]] = (
        Exclusive("style_codes", "style_type"),
        Exclusive("style_codes", "style_reference_images"),
    )

    color_palette: ColorPalette | None = None
    style_codes: tuple[StyleCode, ...] | None = None
    style_preset: StylePresetV3 | None = None
    style_reference_images: ImageUploads | None = None


@fields
class Typed(Fields):
    """The broad style.

    Attributes:
        style_type: Broad style; `"GENERAL"` if omitted.
    """

    style_type: StyleTypeV3 | None = None


@fields
class Negative(Fields):
    """What to leave out.

    Attributes:
        negative_prompt: What to leave out; the prompt wins over it.
    """

    negative_prompt: str | None = None


@fields
class Custom(Fields):
    """A trained model.

    Attributes:
        custom_model_uri: A trained model, `"model/<name>/version/<version>"`; it
            decides the style.
    """

    custom_model_uri: ModelUri | None = None


@fields
class Character(Fields):
    """The character to keep.

    Attributes:
        character_reference_images: One file that shows the character to keep, at most
            10 MB; priced on its own.
        character_reference_images_mask: One grayscale file per character reference,
            of its size.
    """

    relations: ClassVar[tuple[Relation, ...]] = (
        SameCount("character_reference_images_mask", of="character_reference_images"),
    )

    character_reference_images: SingleImageUpload | None = None
    character_reference_images_mask: SingleImageUpload | None = None
