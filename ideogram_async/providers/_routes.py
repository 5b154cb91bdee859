"""What a provider takes: a route for each request class it has.

A route narrows what the class allows, by the same types and checks that the class
itself is made of. What it doesn't take is refused before anything is sent, and never
left out in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

import attrs

from .._rules import Check, checker
from .._value import Value
from ..requests import Request


Limits = Mapping[str, Any]
"""Types by the name of the field."""

GatewayModel = Literal["V_1", "V_1_TURBO", "V_2", "V_2_TURBO", "V_2A", "V_2A_TURBO"]
"""Legacy models by name; no gateway documents AUTO."""

GatewayStyleType = Literal[
    "AUTO", "GENERAL", "REALISTIC", "DESIGN", "RENDER_3D", "ANIME"
]
"""Broad styles of the legacy models; no gateway that lists them has FICTION."""

LEGACY_FIELDS = frozenset(
    (
        *("prompt", "negative_prompt", "model", "aspect_ratio", "resolution", "seed"),
        *("magic_prompt_option", "style_type", "num_images", "color_palette"),
        *("image_file", "mask", "image_weight", "resemblance", "detail"),
        "describe_model_version",
    )
)
"""The published fields of the legacy operations."""


@attrs.frozen(eq=False, repr=False)
class Route(Value):
    """How a provider takes one request class.

    Attributes:
        takes: Names of the fields it takes; None for all.
        limits: What it takes in a field, as a type, where that is less than the class
            allows. A type that does not allow None makes the field required.
        headers: Further header fields that it asks for.
    """

    takes: frozenset[str] | None = None
    limits: Limits = attrs.field(factory=dict[str, Any])
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    _checks: Mapping[str, Check] = attrs.field(
        default=attrs.Factory(lambda route: _checks(route.limits), takes_self=True),
        init=False,
        repr=False,
        eq=False,
    )

    def complaint(self, request: Request[Any]) -> str | None:
        """Return what in *request* this route doesn't take, or None."""
        if self.takes is not None:
            for name in attrs.fields_dict(cast("Any", type(request))):
                if name not in self.takes and getattr(request, name) is not None:
                    return f"{name} of {type(request).__name__} is not taken"
        for name, check in self._checks.items():
            value = getattr(request, name, None)
            if wrong := check(value):
                wrong = "is required" if value is None else wrong
                return f"{name} of {type(request).__name__} {wrong}"
        return None


def _checks(limits: Limits) -> Mapping[str, Check]:
    return {name: checker(hint) for name, hint in limits.items()}
