"""Counts what happens, and tells hooks and the log of it.

Counters are always on. Values for hooks are made only where somebody listens: where
there are hooks, where the log is at DEBUG, or where something went wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from logging import DEBUG, INFO, WARNING
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import attrs

from ._call import Call
from ._gate import Gate
from ._http import HttpRequest, HttpResponse
from ._listeners import Listeners
from ._tally import Downloads, Tally
from .costs import UNKNOWN, Cost
from .errors import DecodeError, OutcomeUnknownError, RateLimitError
from .requests import Request


@attrs.define(eq=False, repr=False)
class Recorder:
    """Counts and tells what happens at one provider.

    Attributes:
        provider: Name of who is asked.
        price: Returns what a request costs there.
        listeners: Who is told.
        limit: Places that could be in use at once, when it was last looked at.
        tally: The counters.
    """

    provider: str = ""
    price: Callable[[Request[Any]], Cost] = lambda _: UNKNOWN
    listeners: Listeners = attrs.field(factory=Listeners)
    limit: int = 0
    tally: Tally = attrs.field(factory=Tally)

    def waited(
        self, call: Call, places: int, seconds: float, error: BaseException | None
    ) -> None:
        """Note that places came after some *seconds*, or didn't."""
        self.tally.waited += seconds
        call.waited += seconds
        call.last_wait = seconds
        if call.is_told:
            known = {"places": places, "seconds": seconds, "error": _name(error)}
            self.listeners.tell("on_wait", DEBUG, **self._of(call), **known)

    def sending(self, call: Call, step: HttpRequest, limiter: Gate) -> float:
        """Note that an attempt is about to leave, and return the time."""
        self.tally.attempts += 1
        call.attempts += 1
        if call.is_told:
            known = self._sending(call, step, limiter)
            self.listeners.tell("on_send", DEBUG, **known)
        return monotonic()

    def attempted(
        self,
        call: Call,
        step: HttpRequest,
        limiter: Gate,
        sent_at: float,
        response: HttpResponse | None,
        error: BaseException | None,
    ) -> None:
        """Note that an attempt of *sent_at* has ended; its places are given back."""
        seconds = monotonic() - sent_at
        tally = self.tally
        tally.in_service += seconds
        if limiter.limit != self.limit:
            self._limit_changed(limiter.limit)
        if error is not None:
            tally.refusals += isinstance(error, RateLimitError)
            if not isinstance(error, Exception) and not step.is_harmless:
                call.is_cut_off = True
        if call.is_told:
            self.listeners.tell(
                "on_attempt",
                DEBUG,
                **self._sending(call, step, limiter),
                seconds=seconds,
                status=response.status if response else None,
                error=_name(error),
            )

    def retrying(self, call: Call, error: BaseException, delay: float) -> None:
        """Note that a step will be sent again after *delay* seconds."""
        self.tally.retries += 1
        if call.request is None:  # the keys of webhooks are no request of anybody
            return
        self.listeners.tell(
            "on_retry",
            INFO,
            **self._of(call),
            number=call.attempts - call.sent_before,
            delay=delay,
            error=type(error).__name__,
        )

    def answered(self, call: Call, request: Request[Any], answer: Any) -> None:
        """Note that a request was answered, and what it cost."""
        tally = self.tally
        tally.answered += 1
        images = withheld = 0
        try:
            images, withheld = _counted(answer)
            tally.images += images
            tally.withheld += withheld
            call.cost = self.price(request)
            tally.pay(call.cost)
        except Exception:  # noqa: BLE001  # no answer is lost to a provider's own price
            tally.unpriced += 1
        if withheld or call.is_told:
            generation_id = getattr(answer, "generation_id", None)
            self._ended(
                call,
                WARNING if withheld else DEBUG,
                images=images,
                withheld=withheld,
                cost=call.cost,
                generation_id=generation_id,
            )

    def failed(self, call: Call, error: BaseException, *, is_over: bool) -> None:
        """Note that a request failed, or was cancelled, at this provider.

        Args:
            call: What is known of it.
            error: Why.
            is_over: Whether no other provider is asked.
        """
        self.tally.failures[type(error).__name__] += 1
        if not is_over:
            self.tally.handed_over[type(error).__name__] += 1
            return
        may_be_paid = call.is_cut_off or call.is_accepted or call.suspect is not None
        is_unknown = may_be_paid and not isinstance(error, Exception)
        if call.request and call.request.endpoint.method != "GET":
            is_unknown |= isinstance(error, OutcomeUnknownError | DecodeError)
        self.tally.unknown += is_unknown
        self._ended(
            call,
            WARNING if is_unknown else INFO,
            error=_name(error),
            status=_status(error),
            is_unknown=is_unknown,
        )

    def _limit_changed(self, limit: int) -> None:
        known = {"provider": self.provider, "before": self.limit, "after": limit}
        self.limit = limit
        self.listeners.tell("on_limit", INFO, **known)

    def _ended(self, call: Call, level: int, **known: Any) -> None:
        self.listeners.tell(
            "on_outcome",
            level,
            **self._of(call),
            attempts=call.attempts,
            seconds=monotonic() - call.began,
            waited=call.waited,
            **known,
        )

    def _of(self, call: Call) -> dict[str, Any]:
        return {
            "request_id": call.number,
            "operation": type(call.request).__name__,
            "provider": self.provider,
        }

    def _sending(self, call: Call, step: HttpRequest, limiter: Gate) -> dict[str, Any]:
        address = urlsplit(step.url)
        return {
            **self._of(call),
            "number": call.attempts - call.sent_before,
            "method": step.method,
            "host": address.hostname or "",
            "port": address.port or (443 if address.scheme == "https" else 80),
            "places": step.places,
            "waited": call.last_wait,
            "in_use": limiter.in_use,
            "limit": limiter.limit,
        }


@attrs.define(eq=False, repr=False)
class DownloadRecord:
    """One download, as it goes.

    Attributes:
        url: The link, of which nobody is told more than the host.
        size: Bytes that came, so far.
        began: When, by the monotonic clock.
    """

    url: str
    size: int = 0
    began: float = attrs.field(factory=monotonic)

    def end(
        self, counted: Downloads, listeners: Listeners, error: BaseException | None
    ) -> None:
        """Count the download and tell of it."""
        seconds = monotonic() - self.began
        counted.downloads += error is None
        counted.failed_downloads += error is not None
        counted.downloaded += self.size
        counted.downloading += seconds
        listeners.tell(
            "on_download",
            INFO if error else DEBUG,
            host=_host(self.url),
            size=self.size,
            seconds=seconds,
            error=_name(error),
        )


def _counted(answer: Any) -> tuple[int, int]:
    """Return how many images were released, and how many were withheld."""
    made = getattr(answer, "data", None)
    if made is None:
        return len(getattr(answer, "images", ())), 0
    withheld = 0
    for image in made:
        withheld += image.is_withheld
    return len(made) - withheld, withheld


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _name(error: BaseException | None) -> str | None:
    return None if error is None else type(error).__name__


def _status(result: HttpResponse | BaseException | None) -> int | None:
    """Return the HTTP status of an answer, or of a refusal."""
    return getattr(result, "status", None)
