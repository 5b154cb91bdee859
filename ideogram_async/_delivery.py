"""Delivers one step: places from the gate, one attempt, a judgement, and again."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic
from typing import Final

import attrs

from ._call import Call, Witness
from ._gate import Gate
from ._http import HttpRequest, HttpResponse
from ._learning import Lease
from ._recorder import Recorder
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
        headers: Further header fields of every step.
        recorder: Who is told of every wait, attempt and retry.
    """

    transport: Transport
    limiter: Gate
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
    timeout: float = TIMEOUT
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    recorder: Recorder = attrs.field(factory=Recorder)

    async def deliver(
        self, step: HttpRequest, check: Check, call: Call
    ) -> HttpResponse:
        """Send *step* and return the reply that *check* accepts.

        Raises:
            IdeogramError: What the last attempt ended with; `OutcomeUnknownError` if
                a paid step may have run.
        """
        call.forget()
        if self.headers:
            step = step._replace(headers={**step.headers, **self.headers})
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

        def retrying(error: BaseException, delay: float) -> None:
            self.recorder.retrying(call, error, delay)

        return await repeat(
            attempt,
            self.retry,
            step,
            first_error,
            call.sleep,
            call.hands_over,
            retrying,
        )

    async def _wait_for_lease(
        self, step: HttpRequest, call: Call, *, front: bool
    ) -> Lease:
        began = monotonic()
        ended: BaseException | None = None
        try:
            return await call.wait(
                lambda: self.limiter.acquire(
                    step.places, front=front, leaves=call.moves_on
                ),
                FOR_A_PLACE,
            )
        except BaseException as error:
            ended = error
            raise
        finally:
            self.recorder.waited(call, step.places, monotonic() - began, ended)

    async def _attempt(
        self, step: HttpRequest, check: Check, call: Call, *, front: bool
    ) -> HttpResponse:
        lease = None
        call.last_wait = 0.0
        if step.places:
            lease = None if front else self.limiter.try_acquire(step.places)
            lease = lease or await self._wait_for_lease(step, call, front=front)
        error: BaseException | None = CANCELLED
        witness: Witness | None = None
        response: HttpResponse | None = None
        sent_at = 0.0
        try:
            call.raise_if_over("to be sent")
            if call.witness and not step.is_harmless:
                witness = call.witness
                await witness.sending()
            seconds, connect = self._times(step, call)
            sent_at = self.recorder.sending(call, step, self.limiter)
            response = await self.transport.send(step, seconds, connect)
            check(response)
        except IdeogramError as failure:
            error = failure
            _judge(failure, step, call, witness)
            raise
        else:
            error = None
            return response
        finally:
            if lease is not None:
                self._give_back(lease, call, error)
            if sent_at:
                attempted = self.recorder.attempted
                attempted(call, step, self.limiter, sent_at, response, error)
            elif witness and error is CANCELLED:  # while it was told
                witness.spared()

    def _times(self, step: HttpRequest, call: Call) -> tuple[float, float]:
        """Return the seconds for an attempt, and those of them to connect."""
        seconds, connect = self.timeout, CONNECT_TIMEOUT
        if step.is_harmless:
            seconds = min(seconds, HARMLESS_TIMEOUT)
        if call.waits_until != math.inf:
            seconds = min(seconds, call.remaining())
            connect = min(connect, max(call.patience(), 0.001))
        return seconds, connect

    def _give_back(self, lease: Lease, call: Call, error: BaseException | None) -> None:
        if call.keeps_places and error is None:
            call.kept = partial(self.limiter.release, lease)
            return
        named = None
        if isinstance(error, StatusError):
            named = error.max_inflight_requests
            if was_refused(error) and error.retry_after:
                is_down = isinstance(error, ServerError)
                self.limiter.pause(error.retry_after, is_down=is_down)
        self.limiter.release(lease, verdict_of(error), max_inflight_requests=named)


def _judge(
    failure: IdeogramError, step: HttpRequest, call: Call, witness: Witness | None
) -> None:
    """Note what *failure* tells of whether *step* ran."""
    if may_have_run(failure) and not step.is_harmless:
        call.suspect = failure
        call.stay()
    if witness and did_not_run(failure):
        witness.spared()
