"""Request classes, one per operation; `REQUESTS` holds all of them by name."""

from ._base import REQUESTS, Endpoint, Request
from ._docs import field_docs
from ._groups import ColorPalette, ColorPaletteMember
from .edit import RemixV3
from .generate import GenerateV3


__all__ = [
    "REQUESTS",
    "ColorPalette",
    "ColorPaletteMember",
    "Endpoint",
    "GenerateV3",
    "RemixV3",
    "Request",
    "field_docs",
]
