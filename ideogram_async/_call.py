"""One call of the client: how long it may wait, and what is known of it so far.

Every wait, for places or between attempts, can be ended from outside: by the call's
deadline, because its batch has ended, or because another provider is left to ask. An
attempt under way is never ended so, for it may be paid already.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast

import attrs

from ._learning import Verdict
from ._retry import may_go_elsewhere
from .costs import UNKNOWN, Cost
from .errors import IdeogramError, NotSentError, RequestTimeoutError


if TYPE_CHECKING:
    from .providers import Provider
    from .requests import Request

T = TypeVar("T")


@attrs.define(eq=False, repr=False)
class Halt:
    """Ends all waits of a batch at once, and lets nothing new out.

    Attributes:
        reason: Why the batch ended, once it has.
        waits: The waits under way.
    """

    reason: BaseException | None = None
    waits: set[Wait] = attrs.field(factory=set["Wait"])

    def end(self, reason: BaseException) -> None:
        """End the batch because of *reason*; the first reason stays."""
        if self.reason is None:
            self.reason = reason
            for wait in self.waits:
                wait.end()


class Wait:
    """A wait of the current task, up to a moment, or to the end of a batch.

    It is what `asyncio.timeout` is, in a fifth of its steps: every request of a batch
    waits for its places.

    Args:
        until: By the event loop's clock; infinite for no limit.
        halt: What can end it.
    """

    __slots__ = ("_alarm", "_cancelling", "_halt", "_is_over", "_task")

    def __init__(self, until: float, halt: Halt) -> None:
        self._task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._cancelling = self._task.cancelling()
        self._halt, self._is_over = halt, False
        self._alarm: asyncio.Handle | None = None
        if halt.reason is not None or until != math.inf:
            moment = -math.inf if halt.reason else until
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_at(moment, self.end)

    def end(self) -> None:
        """End it now; where its own task says so, as soon as that waits."""
        if asyncio.current_task() is self._task:  # it would be cancelled after the wait
            self._set_alarm(asyncio.get_running_loop().call_soon(self.end))
        elif not self._is_over:
            self._is_over = True
            self._task.cancel()

    def _set_alarm(self, alarm: asyncio.Handle | None) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = alarm

    def __enter__(self) -> Self:
        """Begin."""
        self._halt.waits.add(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        """End; True if the wait was ended, and by nobody else."""
        self._halt.waits.discard(self)
        self._set_alarm(None)
        if not self._is_over:
            return False
        is_ours = self._task.uncancel() <= self._cancelling
        return is_ours and kind is asyncio.CancelledError


class Witness(Protocol):
    """Is told of every attempt of a step that is not harmless."""

    async def sending(self) -> None:
        """Note that an attempt is about to leave; it leaves when this returns."""
        ...

    def spared(self) -> None:
        """Note that the attempt did not run: it was refused, or never left."""
        ...


class Call:
    """One call of the client, from the request to its answer.

    What most calls never change is set for all of them, in the class.

    Args:
        expires_at: When its time is up, by the event loop's clock.
        halt: What can end its waits, where it belongs to a batch.

    Attributes:
        attempts: How often something was sent, so far.
        suspect: Why an attempt of this step may have run although no answer came.
        waits_until: When it stops to wait: then, or earlier, because another provider
            is left; what is under way then still ends.
        moves_on: Whether another provider is left.
        answered_by: The provider whose answer it was.
        witness: Who is told of its attempts, if anybody.
        request: What is sent.
        number: Number of the request, unique in the process.
        began: When, by the monotonic clock.
        is_told: Whether anybody wants to hear of what goes well.
        sent_before: How often something was sent before this step.
        waited: Seconds that it waited for places, so far.
        last_wait: Seconds that the last attempt waited for them.
        is_cut_off: Whether it was cancelled while something paid was under way.
        cost: What its answer costs.
        keeps_places: Whether an answered step keeps its places, as its work goes on at
            the service.
        kept: What gives them back, once there are any.
        is_accepted: Whether the service has answered a step that isn't harmless: what
            is left of it is to fetch what is paid.
    """

    attempts: int = 0
    suspect: IdeogramError | None = None
    moves_on: bool = False
    answered_by: Provider | None = None
    witness: Witness | None = None
    request: Request[Any] | None = None
    number: int = 0
    began: float = 0.0
    is_told: bool = False
    sent_before: int = 0
    waited: float = 0.0
    last_wait: float = 0.0
    is_cut_off: bool = False
    cost: Cost = UNKNOWN
    keeps_places: bool = False
    kept: Callable[[Verdict], None] | None = None
    is_accepted: bool = False

    def __init__(self, expires_at: float = math.inf, halt: Halt | None = None) -> None:
        self.expires_at = self.waits_until = expires_at
        self.halt = halt

    @classmethod
    def within(cls, seconds: float | None, halt: Halt | None = None) -> Call:
        """Make a call that may take so many *seconds*, from now on."""
        if seconds is None:
            return cls(math.inf, halt)
        return cls(asyncio.get_running_loop().time() + seconds, halt)

    def start(self, *, others: int) -> None:
        """Begin with a provider, as so many *others* are left.

        It gets its share of the time that is left to wait for.
        """
        self.stay()
        if others:
            self.moves_on = True
            now = asyncio.get_running_loop().time()
            self.waits_until = now + self.remaining() / (others + 1)

    def forget(self) -> None:
        """Begin a step: what is suspected of the one before is no concern of it."""
        self.suspect = None
        self.sent_before = self.attempts

    def accept(self) -> None:
        """Note that the service has taken it; the end of its batch is none of it."""
        self.is_accepted, self.halt = True, None

    def stay(self) -> None:
        """Remain with the provider: it has begun, or nothing is left to send."""
        self.moves_on, self.waits_until = False, self.expires_at

    def remaining(self) -> float:
        """Return the seconds left."""
        return _seconds_until(self.expires_at)

    def hands_over(self, error: BaseException) -> bool:
        """Whether another provider is asked after *error*."""
        return self.moves_on and may_go_elsewhere(error)

    def patience(self) -> float:
        """Return the seconds left to wait for this provider."""
        return _seconds_until(self.waits_until)

    async def wait(self, wait: Callable[[], Awaitable[T]], cause: str) -> T:
        """Return what *wait* returns, unless the call or its batch ends before.

        Raises:
            NotSentError: The batch has ended.
            RequestTimeoutError: The time was up.
        """
        self.raise_if_over(cause)
        if self.halt is None and self.waits_until == math.inf:
            return await wait()
        with self.limited():
            return await wait()
        raise self._end(cause)

    def limited(self) -> Wait:
        """Return what ends the block that it is around with the call or its batch."""
        return Wait(self.waits_until, self.halt or Halt())

    async def sleep(self, seconds: float) -> None:
        """Sleep between attempts, unless the call or its batch ends before."""
        if seconds:
            await self.wait(lambda: asyncio.sleep(seconds), "to be sent again")

    def raise_if_over(self, cause: str) -> None:
        """Raise if the batch has ended or the time is up.

        Raises:
            NotSentError: The batch has ended.
            RequestTimeoutError: The time was up.
        """
        if (self.halt and self.halt.reason) or (
            self.waits_until != math.inf and self.patience() <= 0
        ):
            raise self._end(cause)

    def _end(self, cause: str) -> IdeogramError:
        reason = self.halt and self.halt.reason
        if not reason:
            return RequestTimeoutError(
                f"the deadline passed while the request waited {cause}; not sent",
                delivery="not_sent",
            )
        error = NotSentError(f"not sent, because the batch ended: {reason}")
        error.__cause__ = reason
        return error


def _seconds_until(moment: float) -> float:
    if moment == math.inf:
        return moment
    return moment - asyncio.get_running_loop().time()
