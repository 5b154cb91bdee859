"""Delivers one step: places from the gate, one attempt, a judgement, and again."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import partial
from typing import Final

import attrs

from ._call import Call, Witness
from ._http import HttpRequest, HttpResponse
from ._learning import Lease
from ._retry import (
    RetryPolicy,
    did_not_run,
    may_have_run,
    repeat,
    verdict_of,
    was_refused,
)
from ._transport import CONNECT_TIMEOUT, Transport
from .errors import (
    DecodeError,
    IdeogramError,
    OutcomeUnknownError,
    ServerError,
    StatusError,
)
from .limiter import Limiter


Check = Callable[[HttpResponse], None]
"""Accepts a response or raises our error."""


TIMEOUT: Final = 300.0
"""Seconds for one attempt; the service itself gives up after 265."""

FOR_A_PLACE: Final = "for a place in the limit"

CANCELLED: Final = asyncio.CancelledError()
"""What an attempt ends with that neither returns nor raises our error."""

HARMLESS_TIMEOUT: Final = 30.0
"""Seconds for an attempt of a step that only asks."""


@attrs.frozen(eq=False, repr=False)
class Delivery:
    """Sends steps, within the limit and as often as is safe.

    Attributes:
        transport: What sends.
        limiter: The gate.
        retry: What may be sent again, and when.
        timeout: Seconds for one attempt.
    """

    transport: Transport
    limiter: Limiter
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
    timeout: float = TIMEOUT

    async def deliver(
        self, step: HttpRequest, check: Check, call: Call
    ) -> HttpResponse:
        """Send *step* and return the reply that *check* accepts.

        Raises:
            IdeogramError: What the last attempt ended with; `OutcomeUnknownError` if
                a paid step may have run.
        """
        call.forget()
        try:
            try:
                return await self._attempt(step, check, call, front=False)
            except IdeogramError as error:
                first_error = error
            return await self._persist(step, check, call, first_error)
        except IdeogramError as error:
            if not step.is_repeatable:  # nothing is left to send
                call.stay()
            suspect = call.suspect
            if suspect is None or isinstance(error, DecodeError):
                raise
            fate = "" if error is suspect else f"; then {error}"
        hint = "" if self.retry.resend_unknown else ", but resend_unknown=True would"
        raise OutcomeUnknownError(
            f"the request may have run and be billed: {suspect}{fate}; it is not sent"
            f" again{hint}"
        ) from suspect

    async def _persist(
        self, step: HttpRequest, check: Check, call: Call, first_error: IdeogramError
    ) -> HttpResponse:
        if not self.retry.allows(first_error, step):
            raise first_error

        async def attempt() -> HttpResponse:
            return await self._attempt(step, check, call, front=True)

        return await repeat(
            attempt, self.retry, step, first_error, call.sleep, call.hands_over
        )

    async def _wait_for_lease(
        self, step: HttpRequest, call: Call, *, front: bool
    ) -> Lease:
        return await call.wait(
            lambda: self.limiter.acquire(
                step.places, front=front, leaves=call.moves_on
            ),
            FOR_A_PLACE,
        )

    async def _attempt(
        self, step: HttpRequest, check: Check, call: Call, *, front: bool
    ) -> HttpResponse:
        lease: Lease | None = None
        if step.places:
            lease = None if front else self.limiter.try_acquire(step.places)
            lease = lease or await self._wait_for_lease(step, call, front=front)
        error: BaseException | None = CANCELLED
        witness: Witness | None = None
        try:
            call.raise_if_over("to be sent")
            is_harmless = step.is_harmless
            if call.witness and not is_harmless:
                witness = call.witness
                await witness.sending()
            call.attempts += 1
            longest = HARMLESS_TIMEOUT if is_harmless else math.inf
            seconds = min(self.timeout, longest, call.remaining())
            connect = min(CONNECT_TIMEOUT, max(call.patience(), 0.001))
            response = await self.transport.send(step, seconds, connect)
            check(response)
        except IdeogramError as failure:
            error = failure
            if may_have_run(failure) and not step.is_harmless:
                call.suspect = failure
                call.stay()
            if witness and did_not_run(failure):
                witness.spared()
            raise
        else:
            error = None
            return response
        finally:
            if lease is not None and call.keeps_places and error is None:
                call.kept = partial(self.limiter.release, lease)
            elif lease is not None:
                self._give_back(lease, error)

    def _give_back(self, lease: Lease, error: BaseException | None) -> None:
        named = None
        if isinstance(error, StatusError):
            named = error.max_inflight_requests
            if was_refused(error) and error.retry_after:
                is_down = isinstance(error, ServerError)
                self.limiter.pause(error.retry_after, is_down=is_down)
        self.limiter.release(lease, verdict_of(error), max_inflight_requests=named)
