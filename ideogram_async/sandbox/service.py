"""What the service does, without HTTP: the limit, the safety check, the bill.

It keeps the documented rules: images in progress are counted over all operations, a
request above the limit is refused at once and costs nothing, an image withheld by the
safety check is billed, a prompt refused by it is not.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import attrs
from anyio import to_thread

from .. import requests as r
from ..requests import Request
from .answers import GENERATED, Answer, images_of
from .asked import content_of, files_of, mentions, prompt_of
from .designs import DESIGNED
from .edits import EDITED, check_character, check_links, check_mask
from .later import LATER, check_webhook
from .looks import is_readable
from .studio import Generation, RefusalError, Studio, new_id
from .training import TRAINED, check_training
from .words import TOLD


ANSWERS: Final[Mapping[type[Request[Any]], Answer]] = {
    **GENERATED,
    **EDITED,
    **DESIGNED,
    **TOLD,
    **TRAINED,
    **LATER,
}
"""What makes the answer to each request class but `SubmitGenerateV4`."""

CHECKS: Final[Mapping[type[Request[Any]], Callable[[Studio, Any], None]]] = {
    r.InpaintV3: check_mask,
    r.EditV3: check_mask,
    r.EditLegacy: check_mask,
    r.GenerateV3: check_character,
    r.RemixV3: check_character,
    r.EditWithPrompt: check_links,
    r.SubmitGenerateV4: check_webhook,
    r.TrainModelV3: check_training,
    r.TrainModelV4: check_training,
}
"""What is checked before a request runs, besides its fields."""

Kinds = AbstractSet[type[r.Request[Any]]]
"""Some request classes."""

NO_SAFETY_CHECK: Final[Kinds] = {r.LayerizeTextV3, r.LayerizeDesignV3, r.MagicPromptV4}
"""Classes whose documentation has no 422."""
PER_INPUT: Final[Kinds] = {r.Upscale}
"""Classes that make several images for the price of one."""
PAID_RUNS: Final[Kinds] = {r.TrainModelV3, r.TrainModelV4}
"""Classes that are paid by the run, and take no place."""
FREE: Final[Kinds] = {r.MagicPromptV4}
"""Classes that take a place, and for which no price is known."""


@attrs.frozen
class Charge:
    """One request that ran and was billed.

    Attributes:
        operation: Name of the request class.
        prompt: What was asked for.
        images: How many images were made and billed; 1 for what is paid by the call.
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
class Service(Studio):
    """The imitated service. Every attribute may be changed while it runs.

    Attributes:
        limit: Images that may be in progress.
        latency: Mean time that a request takes, in seconds.
        spread: Standard deviation of the logarithm of that time.
        names_limit: Whether a 429 carries `max_inflight_requests`.
        balance: Images that can still be paid; None for any number.
        ledger: What was billed.
    """

    limit: int = 10
    latency: float = 0.5
    spread: float = 0.4
    names_limit: bool = False
    balance: int | None = None
    ledger: Ledger = attrs.field(factory=Ledger, init=False)
    _running: int = attrs.field(default=0, init=False)
    _pending: list[Generation] = attrs.field(factory=list[Generation], init=False)

    @property
    def in_progress(self) -> int:
        """How many places are in use: by calls, and by generations not yet due."""
        now = self.clock()
        self._pending = [each for each in self._pending if each.due > now]
        return self._running + sum(each.request.places for each in self._pending)

    async def run(self, request: Request[Any]) -> dict[str, Any]:
        """Run *request* and return the JSON answer.

        Raises:
            RefusalError: The request is refused; nothing is billed.
        """
        kind = type(request)
        await self._check(request)
        places = request.places
        self._enter(places, self._price(request))
        if isinstance(request, r.SubmitGenerateV4):
            return self._submit(request)
        seconds = self._duration() if places else 0.0
        self._running += places
        try:
            self._bill(request, seconds)
            if places:
                await asyncio.sleep(seconds)
            return ANSWERS[kind](self, request)
        finally:
            self._running -= places

    async def _check(self, request: Request[Any]) -> None:
        kind = type(request)
        if any(True for _ in files_of(request)):
            await to_thread.run_sync(self._check_files, request)
        elif kind in CHECKS:
            CHECKS[kind](self, request)
        if kind in NO_SAFETY_CHECK or kind is r.UploadDatasetAssets:
            return
        names = " ".join(file.filename for _, file in files_of(request))
        refused = "Prompt" if mentions(prompt_of(request), self.refused_words) else None
        refused = refused or ("Image" if mentions(names, self.refused_words) else None)
        if refused:
            raise RefusalError(
                422,
                f"{refused} provided failed safety check due to the inclusion of"
                " prohibited content.",
            )

    def _check_files(self, request: Request[Any]) -> None:
        if isinstance(request, r.UploadDatasetAssets):
            return
        for name, file in files_of(request):
            is_picture = not name.startswith("font_file")
            if is_picture and not is_readable(content_of(file)):
                raise RefusalError(400, f"{name} is not an image that can be read")
        if check := CHECKS.get(type(request)):
            check(self, request)

    def _enter(self, places: int, price: int) -> None:
        in_progress = self.in_progress
        if places and in_progress and in_progress + places > self.limit:
            self.ledger.refusals += 1
            named = {"max_inflight_requests": self.limit} if self.names_limit else {}
            raise RefusalError(
                429,
                f"Too many images in progress: {in_progress} of {self.limit}.",
                reject_reason="inflight_limit",
                **named,
            )
        if self.balance is not None:
            if price > self.balance:
                reason = "insufficient_funds"
                raise RefusalError(402, "Not enough credit.", reject_reason=reason)
            self.balance -= price
        self.ledger.most_in_progress = max(
            self.ledger.most_in_progress, in_progress + places
        )

    def _bill(self, request: Request[Any], seconds: float) -> None:
        if price := self._price(request):
            name, prompt = type(request).__name__, prompt_of(request)
            self.ledger.charges.append(Charge(name, prompt, price, seconds))

    def _submit(self, request: r.SubmitGenerateV4) -> dict[str, Any]:
        seconds = self._duration()
        now = self.clock()
        generation = Generation(
            generation_id=new_id(),
            request=request,
            created=now,
            due=now + seconds,
            fails=self._fails(request),
        )
        self.generations[generation.generation_id] = generation
        self._pending.append(generation)
        self._bill(request, seconds)
        self.announce(generation)
        return {"generation_id": generation.generation_id}

    def _fails(self, request: Request[Any]) -> bool:
        is_later = isinstance(request, r.SubmitGenerateV4)
        return is_later and mentions(prompt_of(request), self.failing_words)

    def _price(self, request: Request[Any]) -> int:
        return 0 if self._fails(request) else price_of(request)

    def _duration(self) -> float:
        if not self.latency:
            return 0.0
        mu = math.log(self.latency) - self.spread**2 / 2
        return random.lognormvariate(mu, self.spread)  # a delay


def price_of(request: Request[Any]) -> int:
    """Return how many images *request* is billed as; 1 for what is paid by the call."""
    kind = type(request)
    if kind in PAID_RUNS | PER_INPUT:
        return 1
    return 0 if kind in FREE or not request.places else images_of(request)
