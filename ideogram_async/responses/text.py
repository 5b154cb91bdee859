"""Words about images, after the service's own schema names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ._base import Answer
from .images import ImageObject


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Description(Answer):
    """One description of an image.

    Attributes:
        text: The words.
    """

    text: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DescribeResponse(Answer):
    """The answer of `Describe`.

    Attributes:
        descriptions: One or more descriptions.
    """

    descriptions: tuple[Description, ...]


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DescribeV4Response(Answer):
    """The answer of `DescribeV4`.

    Attributes:
        json_prompt: The structured prompt, as it came;
            `JsonPrompt.from_mapping(answer.json_prompt)` makes one to send.
    """

    json_prompt: Mapping[str, Any] = attrs.field(hash=False)


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MagicPromptV4Response(Answer):
    """The answer of `MagicPromptV4`.

    Attributes:
        json_prompt: The structured prompt, as it came;
            `JsonPrompt.from_mapping(answer.json_prompt)` makes one to send.
        aspect_ratio: Width to height that goes with it, such as `"16x9"`.
    """

    json_prompt: Mapping[str, Any] = attrs.field(hash=False)
    aspect_ratio: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TextBlock(Answer):
    """A text that was taken off an image, placed in pixels from the top left.

    Attributes:
        x: Distance from the left.
        y: Distance from the top.
        width: Width of the box.
        height: Height of the box.
        text: The words.
        alignment: `"left"`, `"center"` or `"right"`.
        formatting: Such as `"bold"` or `"all_caps"`.
        angle: Turn, in degrees.
        font_name: Name of the font, or None.
        font_alternatives: Names of fonts like it.
        font_size: In pixels, or None.
        line_height: As a multiple of the font's size, or None.
        color: Six hexadecimal digits after a number sign, or None.
        role: `"heading"`, `"subheading"`, `"body"`, `"caption"`, or None.
    """

    x: int
    y: int
    width: int
    height: int
    text: str
    alignment: str | None = None
    formatting: tuple[str, ...] = ()
    angle: float = 0.0
    font_name: str | None = None
    font_alternatives: tuple[str, ...] = ()
    font_size: int | None = None
    line_height: float | None = None
    color: str | None = None
    role: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class LayerizeTextResponse(Answer):
    """The answer of `LayerizeTextV3`.

    Attributes:
        base_image_url: Link to the image without its text.
        seed: The seed used.
        text_blocks: The texts.
        original_image_url: Link to the image as it was, or None.
    """

    base_image_url: str
    seed: int | None = None
    text_blocks: tuple[TextBlock, ...] = ()
    original_image_url: str | None = None

    @property
    def data(self) -> tuple[ImageObject, ...]:
        """The image without its text, to download."""
        return (ImageObject(url=self.base_image_url, seed=self.seed),)

    @property
    def images(self) -> tuple[ImageObject, ...]:
        """The same."""
        return self.data
