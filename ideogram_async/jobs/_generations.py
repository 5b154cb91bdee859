"""Sends requests: at once, or as generations that are submitted and waited for.

A generation that the service has accepted is known by its id, which is written down
before anything is waited for: from then on a killed job loses nothing. It is an image
in progress until it ends, so its places are kept as long.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

import attrs

from .._call import Call, Halt
from .._codec import to_jsonable
from .._failover import Failover
from .._learning import Verdict
from .._polling import Poller
from ..errors import GenerationFailedError, JournalError
from ..providers import Provider
from ..requests import GenerateV4, GetGeneration, Request, SubmitGenerateV4
from ..responses import AsyncGenerationResponse, GenerationResponse
from ._items import Item, as_text
from ._journal import Journal


LONGEST_WAIT: Final = 3600.0
"""Seconds that one run waits for a generation; the next run waits again."""


@attrs.frozen(eq=False)
class Generations:
    """What a job asks for.

    Attributes:
        failover: Sends a request.
        poller: Waits for a generation.
        journal: Where its id is written.
        halt: Ends the job.
        webhook_url: Given with every generation that is submitted; None to have
            requests answered at once.
    """

    failover: Failover
    poller: Poller
    journal: Journal
    halt: Halt
    webhook_url: str | None = None

    async def send(
        self, request: Request[Any], item: Item, call: Call, price: int | None
    ) -> Any:
        """Send *request* for *item* and return its answer, whenever that comes.

        Raises:
            IdeogramError: There is none; where the item is `submitted` by then, there
                may be one later.
        """
        if self.webhook_url is None:
            return await self.failover.send(request, call)
        call.keeps_places, verdict = True, Verdict.ABANDONED
        try:
            submission = submitted(request, self.webhook_url)
            accepted = await self.failover.send(submission, call)
            await self._note(item, accepted, call, price)
            answer = await self.wait(accepted.generation_id)
            verdict = Verdict.SERVED
        except GenerationFailedError:
            verdict = Verdict.SERVED
            raise
        else:
            return answer
        finally:
            if call.kept is not None:
                call.kept(verdict)

    async def wait(self, generation_id: str) -> GenerationResponse:
        """Return what a generation has made, as soon as it is completed.

        Its place waits for its end, so it is asked for at steady intervals.

        Raises:
            GenerationFailedError: It ended as failed.
            IdeogramError: It can't be asked for, or takes too long.
        """
        call = Call.within(LONGEST_WAIT)
        return await self.poller.wait(
            self.failover, generation_id, call, is_steady=True
        )

    def hold(self) -> Callable[[], None]:
        """Take a place for a generation that is in progress, and return what frees it.

        Where none is free nothing is taken: it is in progress all the same.
        """
        for channel in self.failover.channels:
            limiter = channel.limiter
            is_known = GetGeneration in channel.provider.routes
            if is_known and (lease := limiter.try_acquire(GenerateV4.endpoint.places)):
                return partial(limiter.release, lease)
        return lambda: None

    async def _note(
        self,
        item: Item,
        accepted: AsyncGenerationResponse,
        call: Call,
        price: int | None,
    ) -> None:
        """Write the id down; where that fails the job ends, and this is waited for."""
        provider: Any = call.answered_by
        try:
            await self.journal.move(
                item,
                "submitted",
                provider=provider.name,
                attempts=call.attempts,
                answer=as_text(to_jsonable(accepted)),
                files="[]",
                price=price,
            )
        except JournalError as error:
            self.halt.end(error)


def submitted(request: Request[Any], webhook_url: str) -> SubmitGenerateV4:
    """Return what submits *request*, a `GenerateV4`.

    Raises:
        ValueError: *webhook_url* can be none.
    """
    names = attrs.fields_dict(cast("Any", GenerateV4))
    return SubmitGenerateV4(
        **{name: getattr(request, name) for name in names}, webhook_url=webhook_url
    )


def check_address(webhook_url: str | None, *, asynchronous: bool) -> None:
    """Check that there is an address for webhooks where there must be one.

    Raises:
        ValueError: It is missing, superfluous, or can be none.
    """
    if asynchronous != (webhook_url is not None):
        raise ValueError(
            "asynchronous jobs (--async), and no others, need a webhook_url"
            " (--webhook-url), such as 'https://example.com/hook'"
        )
    if webhook_url is not None:
        submitted(GenerateV4("a prompt"), webhook_url)


def check_taken(providers: list[type[Provider] | Provider], webhook_url: str) -> None:
    """Check that one of *providers* takes generations.

    Raises:
        UnsupportedRequestError: None does; says who does.
    """
    probe = submitted(GenerateV4("a prompt"), webhook_url)
    if all(provider.complaint(probe) for provider in providers):
        providers[0].check_request(probe)


def generation_of(item: object) -> GenerateV4:
    """Return what is submitted for a row of the source: a prompt, or a `GenerateV4`.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(item, GenerateV4):
        return item
    if isinstance(item, str):
        return GenerateV4(item)
    raise ValueError(
        f"expected a prompt or a GenerateV4, which alone can be made later,"
        f" got {item!r:.80}"
    )
