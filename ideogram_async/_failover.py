"""One request to one of several providers, without ever paying two of them for it.

The next provider is asked only if this one can't have run the request: it never left,
or was refused. Where that is not known, the request ends as unknown, as it does with a
single provider. What a refusal says of the request itself (400, 404, 413, 422) would be
true of the next provider too, so it is not asked.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from ._call import Call
from ._delivery import Delivery
from ._gate import Gate
from ._listeners import Listeners
from ._retry import LOCKS_OUT, RetryPolicy
from .costs import UNKNOWN, Cost
from .errors import (
    IdeogramError,
    OutcomeUnknownError,
    RequestTimeoutError,
    TransportError,
)
from .requests import Request


if TYPE_CHECKING:
    from ._stats import Stats
    from ._tally import Downloads
    from .providers import Provider

T = TypeVar("T")


@attrs.frozen(eq=False, repr=False)
class Channel:
    """One provider, and the way there.

    Attributes:
        provider: Who is asked.
        delivery: What sends, through the gate of its key.
    """

    provider: Provider
    delivery: Delivery

    @property
    def limiter(self) -> Gate:
        """The gate."""
        return self.delivery.limiter

    async def send(self, request: Request[T], call: Call) -> T:
        """Send *request* and return its answer.

        Raises:
            IdeogramError: There is no answer; the class says why.
        """
        check = self.provider.check
        try:
            exchange = self.provider.exchange(request)
            step = next(exchange)
            while True:
                if step.delay:
                    await call.sleep(step.delay)
                reply = await self.delivery.deliver(step, check, call)
                call.stay()
                if not step.is_harmless:
                    call.accept()
                step = exchange.send(reply)
        except StopIteration as finished:
            call.answered_by = self.provider
            answer: T = finished.value
            return answer
        except IdeogramError as error:
            error.provider, error.request = self.provider.name, request
            if call.is_accepted and isinstance(error, TransportError):
                raise OutcomeUnknownError(
                    "the request was accepted, and may be billed, but what it made"
                    f" could not be fetched: {error}",
                    provider=self.provider.name,
                    request=request,
                ) from error
            raise


@attrs.frozen(eq=False, repr=False)
class Failover:
    """The providers of a client, in the order in which they are asked.

    Attributes:
        channels: At least one.
        set_aside: Those that refused the key or for funds, and what they said.
        slow_until: When those that let a share of the time pass are asked first again.
        listeners: Who is told of every request.
    """

    channels: tuple[Channel, ...]
    set_aside: dict[Provider, IdeogramError] = attrs.field(
        factory=dict["Provider", IdeogramError]
    )
    slow_until: dict[Provider, float] = attrs.field(factory=dict["Provider", float])
    listeners: Listeners = attrs.field(factory=Listeners)

    def configured(
        self, retry: RetryPolicy, timeout: float, headers: Mapping[str, str]
    ) -> Failover:
        """Return the same with other rules for every delivery."""
        rules: Any = {"retry": retry, "timeout": timeout, "headers": headers}
        return attrs.evolve(
            self,
            channels=tuple(
                attrs.evolve(each, delivery=attrs.evolve(each.delivery, **rules))
                for each in self.channels
            ),
        )

    def stats(self, downloads: Downloads) -> Stats:
        """Return the counters of all of them."""
        from ._stats import stats_of, total  # noqa: PLC0415  # few programs ask

        recorders = [channel.delivery.recorder for channel in self.channels]
        parts = [
            stats_of(each.provider, each.tally, channel.limiter)
            for each, channel in zip(recorders, self.channels, strict=True)
        ]
        handed_over = [each.tally.handed_over for each in recorders]
        return total(parts, sum(handed_over, Counter[str]()), downloads)

    @property
    def limit(self) -> int:
        """Places that may be in use at once, with all of them."""
        return sum(channel.limiter.limit for channel in self.channels)

    @property
    def in_use(self) -> int:
        """Places in use, with all of them."""
        return sum(channel.limiter.in_use for channel in self.channels)

    def supports(self, request: type[Request[Any]] | Request[Any]) -> bool:
        """Whether there is a route for a request class, or for a request as it is."""
        if isinstance(request, Request):
            return bool(self._taking(request))
        return any(request in each.provider.routes for each in self.channels)

    def cost(self, request: Request[Any]) -> Cost:
        """Return what *request* costs at the provider that is asked first.

        Raises:
            UnsupportedRequestError: None takes it.
        """
        provider = (self._taking(request) or self.channels)[0].provider
        provider.check_request(request)
        return provider.cost(request)

    def most(self, request: Request[Any]) -> Cost:
        """Return the most that *request* may cost, whoever answers in the end.

        It is unknown if one of the prices is, or if they have several units.
        """
        costs = [each.provider.cost(request) for each in self._taking(request)]
        total = Cost.total(costs)
        if total.amount is None or not costs:
            return UNKNOWN
        return max(costs, key=lambda cost: cost.amount or 0)

    def is_locked_out(self) -> bool:
        """Whether every provider has refused the key or for funds."""
        return all(each.provider in self.set_aside for each in self.channels)

    async def send(self, request: Request[T], call: Call) -> T:
        """Send *request* to the first provider that takes it, or to the next.

        Raises:
            IdeogramError: There is no answer; the class says why.
        """
        self.listeners.started(call, request)
        left = self._takers(request)
        while True:
            channel = left.pop(0)
            recorder = channel.delivery.recorder
            recorder.tally.requests += 1
            call.start(others=len(left))
            try:
                answer = await channel.send(request, call)
            except IdeogramError as error:
                if isinstance(error, LOCKS_OUT):
                    self.set_aside[channel.provider] = error
                if isinstance(error, RequestTimeoutError) and call.moves_on:
                    self.slow_until[channel.provider] = call.expires_at
                is_over = not call.hands_over(error)
                recorder.failed(call, error, is_over=is_over)
                if is_over:
                    raise
            except BaseException as error:
                recorder.failed(call, error, is_over=True)
                raise
            else:
                self.set_aside.pop(channel.provider, None)
                self.slow_until.pop(channel.provider, None)
                recorder.answered(call, request, answer)
                return answer

    def _takers(self, request: Request[Any]) -> list[Channel]:
        """Return those to ask, in order: those whose service fails come last."""
        if len(self.channels) == 1:
            return [*self.channels]
        taking = self._taking(request)
        left = [each for each in taking if each.provider not in self.set_aside]
        left.sort(key=self._is_ill)
        return left or taking or [self.channels[0]]

    def _taking(self, request: Request[Any]) -> list[Channel]:
        """Return those that have a route for *request*, in order."""
        return [
            channel
            for channel in self.channels
            if channel.provider.complaint(request) is None
        ]

    def _is_ill(self, channel: Channel) -> bool:
        """Whether it is down, or has just let a call's share of the time pass."""
        slow_until = self.slow_until.get(channel.provider, -math.inf)
        is_slow = asyncio.get_running_loop().time() < slow_until
        return is_slow or channel.limiter.is_failing
