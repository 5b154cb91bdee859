"""Structured prompts of Ideogram 4.0.

Source: https://developer.ideogram.ai/api-reference/api-reference/generate-v4
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from attrs import field

from .._plain import build
from ..vocabulary import BoundingBox, LongColorHex, Prompt
from ._base import Fields, fields


@fields
class PromptElement(Fields):
    """A thing, or a text, in the image.

    Attributes:
        type: `"obj"` for a thing, `"text"` for a text.
        desc: What it looks like.
        text: The words to write, where it is a text.
        bbox: Top, left, bottom and right, in thousandths of the image, each [0, 1000].
        color_palette: Its colors, six hexadecimal digits each.

    Raises:
        ValueError: A text has no words, or a thing has some.
    """

    type: Literal["obj", "text"]
    desc: str
    text: str | None = None
    bbox: BoundingBox | None = None
    color_palette: tuple[LongColorHex, ...] | None = None

    def __attrs_post_init__(self) -> None:
        """Check that there are words just where it is a text."""
        super().__attrs_post_init__()
        if (self.type == "text") == (self.text is None):
            raise ValueError(
                'text is given for elements of the type "text", and only there'
            )


@fields
class Composition(Fields):
    """What is where.

    Attributes:
        background: What is behind everything.
        elements: The things and texts.
    """

    background: str
    elements: tuple[PromptElement, ...] = ()


@fields
class StyleDescription(Fields):
    """What the image looks like.

    Attributes:
        aesthetics: The overall feeling.
        art_style: The style, where it is no photograph.
        lighting: The light.
        medium: Such as `"oil painting"`.
        photo: The camera and the shot, where it is a photograph.
        color_palette: The colors, six hexadecimal digits each.
    """

    aesthetics: str | None = None
    art_style: str | None = None
    lighting: str | None = None
    medium: str | None = None
    photo: str | None = None
    color_palette: tuple[LongColorHex, ...] | None = None


@fields
class JsonPrompt(Fields):
    """A prompt as a structure, taken as it is.

    Attributes:
        high_level_description: What the image shows, in a sentence or two.
        compositional_deconstruction: What is where.
        style_description: What it looks like.
        tags: Words that describe it.

    Raises:
        ValueError: A field is out of its range.
    """

    high_level_description: Prompt = field(kw_only=False)
    compositional_deconstruction: Composition
    style_description: StyleDescription | None = None
    tags: tuple[str, ...] | None = None

    @classmethod
    def from_mapping(cls, prompt: Mapping[str, Any]) -> Self:
        """Make a prompt of plain JSON values, such as those of a description.

        Raises:
            ValueError: A field is missing, unknown, or out of its range; says which.
        """
        return build(cls, prompt)
