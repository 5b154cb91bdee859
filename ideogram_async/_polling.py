"""Waiting for asynchronous generations: asks how far one is, until it has ended.

Polls only ask: they take no place of the gate, and one that is refused or lost is
followed by the next. All waits of a client share one pace, since the service refuses
more than 1,000 polls in 10 seconds for one key.
"""

from __future__ import annotations

import asyncio
import math
import random
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

import anyio
import attrs

from . import requests
from ._call import Call
from ._failover import Channel, Failover
from ._ready import backend_ready
from ._retry import LOCKS_OUT, RetryPolicy
from .errors import (
    DecodeError,
    GenerationFailedError,
    IdeogramError,
    NotFoundError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    TransportError,
)


if TYPE_CHECKING:
    from tenacity import RetryCallState

    from .requests import GetGeneration
    from .responses import GenerationResponse

COMPLETED: Final = "completed"
FAILED: Final = "failed"

ONCE: Final = RetryPolicy(attempts=1)
"""A poll that fails is followed by the next one, so it isn't sent again itself."""

ELSEWHERE: Final = (*LOCKS_OUT, NotFoundError)
"""After these another key is asked, where there is one: the generation may be its."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Polling:
    """How often it is asked how far a generation is.

    Poll n + 1 comes `min(longest, initial * factor ** (n - 1))` seconds after poll n,
    or up to *jitter* of that sooner; the first one at once.

    Attributes:
        initial: Longest wait before the second poll, in seconds.
        factor: From one wait to the next.
        longest: Longest wait of all, in seconds.
        jitter: Share of a wait that is left to chance, [0, 1].
        spacing: Least seconds between two polls of all waits; a tenth above what the
            service allows.
    """

    initial: float = 2.0
    factor: float = 1.5
    longest: float = 30.0
    jitter: float = 0.2
    spacing: float = 0.011

    def pause(self, polls: int) -> float:
        """Return the seconds to wait after so many *polls*, from 1."""
        pause = min(self.longest, self.initial * self.factor ** min(polls - 1, 64))
        return pause * random.uniform(1 - self.jitter, 1)  # noqa: S311  # no secret


@attrs.define(eq=False, repr=False)
class Poller:
    """Waits for the generations of one client.

    Attributes:
        polling: How often it asks.
    """

    polling: Polling = attrs.field(factory=Polling)
    _free_at: float = attrs.field(default=-math.inf, init=False)

    @cached_property
    def _turns(self) -> anyio.Lock:
        return anyio.Lock()

    async def wait(
        self,
        failover: Failover,
        generation_id: str,
        call: Call,
        *,
        is_steady: bool = False,
    ) -> GenerationResponse:
        """Return what a generation has made, as soon as it is completed.

        Args:
            failover: Whom it asks.
            generation_id: Of which generation.
            call: How long.
            is_steady: Whether its polls don't get rarer, as something waits for its
                end.

        Raises:
            GenerationFailedError: It ended as failed.
            RequestTimeoutError: The time of *call* was up; the generation goes on.
            IdeogramError: It can't be asked for; the class says why.
        """
        from tenacity import (  # noqa: PLC0415  # most programs never wait so
            AsyncRetrying,
            retry_if_exception,
            retry_if_not_result,
        )

        request = requests.GetGeneration(generation_id)
        asking = _Asking(_takers(failover, request), request, call)
        polling = attrs.evolve(self.polling, factor=1.0) if is_steady else self.polling
        await backend_ready()

        async def poll() -> GenerationResponse:
            return await self._poll(asking)

        polls = AsyncRetrying(
            retry=retry_if_not_result(_has_ended) | retry_if_exception(_passes),
            wait=lambda state: self._pause(state, polling),
            sleep=call.sleep,
            reraise=True,
        )
        try:
            answer = cast("GenerationResponse", await polls(poll))
        except RequestTimeoutError as error:
            raise asking.timed_out() from error
        if answer.status == FAILED:
            raise asking.failed(answer)
        return answer

    async def _poll(self, asking: _Asking) -> GenerationResponse:
        channels = asking.channels
        while True:
            await asking.call.wait(self._turn, "for its turn to poll")
            try:
                answer = await channels[0].send(asking.request, asking.call)
            except ELSEWHERE:
                if len(channels) == 1:
                    raise
                del channels[0]
            except IdeogramError as error:
                if asking.call.remaining() > 0:
                    asking.found = f"the last poll failed: {error}"
                raise
            else:
                asking.found = f"it is {answer.status}"
                return answer

    async def _turn(self) -> None:
        """Return when the next poll may leave; they leave one by one."""
        now = asyncio.get_running_loop().time
        async with self._turns:
            while (left := self._free_at - now()) > 0:  # noqa: ASYNC110  # it may move
                await anyio.sleep(left)
            self._free_at = now() + self.polling.spacing

    def _pause(self, state: RetryCallState, polling: Polling) -> float:
        """Return the seconds to the next poll; a `Retry-After` holds for all waits."""
        outcome: Any = state.outcome
        error = outcome.exception()
        asked = (isinstance(error, StatusError) and error.retry_after) or 0.0
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now + asked)
        return max(asked, polling.pause(state.attempt_number))


@attrs.define(eq=False, repr=False)
class _Asking:
    """One wait.

    Attributes:
        channels: Whom it asks: the first, and the next ones if that doesn't know it.
        request: What it asks.
        call: How long.
        found: What the last poll found that was not cut off by the end of the time.
    """

    channels: list[Channel]
    request: GetGeneration
    call: Call
    found: str = "nothing was heard of it yet"

    def timed_out(self) -> RequestTimeoutError:
        """Return the error for a wait whose time was up."""
        generation_id = self.request.generation_id
        return RequestTimeoutError(
            f"generation {generation_id} was not there in time ({self.found}); it goes"
            " on: wait for it again",
            generation_id=generation_id,
            provider=self.channels[0].provider.name,
            request=self.request,
        )

    def failed(self, answer: GenerationResponse) -> GenerationFailedError:
        """Return the error for a generation that ended as failed."""
        reason = answer.extra.get("failure_reason")
        said = f": {reason:.200}" if isinstance(reason, str) else ""
        return GenerationFailedError(
            f"generation {answer.generation_id} failed, and is not billed{said}",
            generation_id=answer.generation_id,
            provider=self.channels[0].provider.name,
            request=self.request,
        )


def _takers(failover: Failover, request: GetGeneration) -> list[Channel]:
    """Return those that can be asked, without any retries of their own."""
    takers = [
        attrs.evolve(each, delivery=attrs.evolve(each.delivery, retry=ONCE))
        for each in failover.channels
        if each.provider.complaint(request) is None
    ]
    if not takers:
        failover.channels[0].provider.check_request(request)
    return takers


def _has_ended(answer: GenerationResponse) -> bool:
    return answer.status in {COMPLETED, FAILED}


def _passes(error: BaseException) -> bool:
    """Whether a poll that failed says nothing of the generation."""
    if isinstance(error, DecodeError):
        return not error.complete
    return isinstance(error, RateLimitError | ServerError | TransportError)
