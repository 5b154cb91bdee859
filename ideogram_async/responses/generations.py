"""Generations that run at the service, after its own schema names."""

from __future__ import annotations

from datetime import datetime

import attrs

from ._base import Answer
from .images import ImageObject


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AsyncGenerationResponse(Answer):
    """The answer of `SubmitGenerateV4`.

    Attributes:
        generation_id: What to ask `GetGeneration` for.
    """

    generation_id: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class GenerationResponse(Answer):
    """How far a generation is.

    Attributes:
        generation_id: Its id.
        status: `"pending"`, `"completed"` or `"failed"`.
        created: When it was submitted, in UTC.
        response_type: Such as `"url"` once it is completed; or None.
        data: The images, once it is completed.
    """

    generation_id: str
    status: str
    created: datetime
    response_type: str | None = None
    data: tuple[ImageObject, ...] = ()

    @property
    def images(self) -> tuple[ImageObject, ...]:
        """The images that can be downloaded: those not withheld."""
        return tuple(image for image in self.data if not image.is_withheld)
