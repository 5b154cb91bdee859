"""What the service does, without HTTP: the limit, the safety check, the bill.

It keeps the documented rules: images in progress are counted over all operations, a
request above the limit is refused at once and costs nothing, an image withheld by the
safety check is billed, a prompt refused by it is not.
"""

from __future__ import annotations

import asyncio
import math
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, cast, get_args

import attrs

from ..requests import Request
from ..uploads import Upload
from ..vocabulary import ResolutionV3
from .pictures import Picture, is_readable


MOST_SEED: Final = 2_147_483_647


class RefusalError(Exception):
    """The service says no.

    Attributes:
        status: HTTP status code.
        body: The JSON answer.
    """

    def __init__(self, status: int, message: str, **more: object) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, object] = {"error": message, **more}


@attrs.frozen
class Charge:
    """One request that ran and was billed.

    Attributes:
        operation: Name of the request class.
        prompt: What was asked for.
        images: How many images were made and billed.
        seconds: How long it took.
    """

    operation: str
    prompt: str
    images: int
    seconds: float


@attrs.define
class Ledger:
    """Everything the sandbox billed, and how often it refused.

    Attributes:
        charges: The requests that ran, in order.
        refusals: How many requests were refused with 429.
        most_in_progress: Most places that were in use at once.
    """

    charges: list[Charge] = attrs.field(factory=list[Charge])
    refusals: int = 0
    most_in_progress: int = 0

    @property
    def images(self) -> int:
        """How many images were billed."""
        return sum(charge.images for charge in self.charges)

    @property
    def times_billed(self) -> Counter[str]:
        """How often each prompt was billed."""
        return Counter(charge.prompt for charge in self.charges)


@attrs.define(kw_only=True)
class Service:
    """The imitated service. Every attribute may be changed while it runs.

    Attributes:
        limit: Images that may be in progress.
        latency: Mean time that a request takes, in seconds.
        spread: Standard deviation of the logarithm of that time.
        names_limit: Whether a 429 carries `max_inflight_requests`.
        balance: Images that can still be paid; None for any number.
        refused_words: A prompt with one of these is refused by the safety check (422).
        withheld_words: A prompt with one of these is made, billed, and withheld.
        ledger: What was billed.
        pictures: What to draw for each link that was given out, by its name.
    """

    limit: int = 10
    latency: float = 0.5
    spread: float = 0.4
    names_limit: bool = False
    balance: int | None = None
    refused_words: tuple[str, ...] = ("forbidden",)
    withheld_words: tuple[str, ...] = ("withheld",)
    ledger: Ledger = attrs.field(factory=Ledger, init=False)
    pictures: dict[str, Picture] = attrs.field(factory=dict[str, Picture], init=False)
    _in_progress: int = attrs.field(default=0, init=False)

    async def run(self, request: Request[Any]) -> dict[str, Any]:
        """Run *request* and return the JSON answer, with names in place of links.

        Raises:
            RefusalError: The request is refused; nothing is billed.
        """
        prompt = str(getattr(request, "prompt", ""))
        for name, content in _files(request):
            if not is_readable(content):
                raise RefusalError(400, f"{name} is not an image that can be read")
        if _mentions(prompt, self.refused_words):
            raise RefusalError(
                422,
                "Prompt provided failed safety check due to the inclusion of"
                " prohibited content.",
            )
        places = request.places
        self._enter(places)
        try:
            seconds = self._duration()
            charge = Charge(type(request).__name__, prompt, places, seconds)
            self.ledger.charges.append(charge)
            await asyncio.sleep(seconds)
        finally:
            self._in_progress -= places
        return {
            "created": datetime.now(UTC).isoformat(),
            "data": [self._image(request, prompt, place) for place in range(places)],
        }

    def _enter(self, places: int) -> None:
        if self._in_progress and self._in_progress + places > self.limit:
            self.ledger.refusals += 1
            named = {"max_inflight_requests": self.limit} if self.names_limit else {}
            raise RefusalError(
                429,
                f"Too many images in progress: {self._in_progress} of {self.limit}.",
                reject_reason="inflight_limit",
                **named,
            )
        if self.balance is not None:
            if places > self.balance:
                reason = "insufficient_funds"
                raise RefusalError(402, "Not enough credit.", reject_reason=reason)
            self.balance -= places
        self._in_progress += places
        self.ledger.most_in_progress = max(
            self.ledger.most_in_progress, self._in_progress
        )

    def _duration(self) -> float:
        if not self.latency:
            return 0.0
        mu = math.log(self.latency) - self.spread**2 / 2
        return random.lognormvariate(mu, self.spread)  # a delay

    def _image(self, request: Request[Any], prompt: str, place: int) -> dict[str, Any]:
        seed = getattr(request, "seed", None)
        if seed is None:
            seed = secrets.randbelow(MOST_SEED + 1)
        else:
            seed = (seed + place) % (MOST_SEED + 1)
        if getattr(request, "magic_prompt", None) == "ON":
            prompt += ", in rich detail, under dramatic light"
        width, height = size_of(request)
        name = secrets.token_urlsafe(16)
        is_safe = not _mentions(prompt, self.withheld_words)
        if is_safe:
            self.pictures[name] = Picture(
                prompt=prompt,
                seed=seed,
                width=width,
                height=height,
                source=dict(_files(request)).get("image"),
                weight=getattr(request, "image_weight", None) or 50,
            )
        return {
            "prompt": prompt,
            "resolution": f"{width}x{height}",
            "is_image_safe": is_safe,
            "seed": seed,
            "url": name if is_safe else None,
            "style_type": getattr(request, "style_type", None) or "GENERAL",
        }


def size_of(request: Request[Any]) -> tuple[int, int]:
    """Return width and height in pixels: as asked, or nearest to the aspect ratio."""
    resolution = getattr(request, "resolution", None)
    if resolution is not None:
        return _size(resolution)
    ratio = getattr(request, "aspect_ratio", None)
    if ratio is None:
        return 1024, 1024
    wanted = math.log(_ratio(ratio))
    sizes = map(_size, get_args(ResolutionV3))
    return min(sizes, key=lambda size: abs(math.log(size[0] / size[1]) - wanted))


def _size(resolution: str) -> tuple[int, int]:
    width, height = resolution.split("x")
    return int(width), int(height)


def _ratio(aspect: str) -> float:
    width, height = _size(aspect)
    return width / height


def _files(request: Request[Any]) -> Iterator[tuple[str, bytes]]:
    """Yield the content of every file in *request* behind the name of its field."""
    for field in attrs.fields(cast("Any", type(request))):
        value = getattr(request, field.name)
        is_list = isinstance(value, tuple)
        for member in cast("tuple[Any, ...]", value if is_list else (value,)):
            if isinstance(member, Upload) and isinstance(member.source, bytes):
                yield field.name, member.source


def _mentions(prompt: str, words: tuple[str, ...]) -> bool:
    lowered = prompt.lower()
    return any(word.lower() in lowered for word in words)
