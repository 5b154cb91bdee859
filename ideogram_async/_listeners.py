"""Whom a client tells: its hooks, and the log. None of them can harm a request."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from time import monotonic
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, Final

import attrs

from ._call import Call


if TYPE_CHECKING:
    from .hooks import Hooks
    from .requests import Request


LOGGER: Final = logging.getLogger(__package__)
LOGGER.addHandler(logging.NullHandler())
NUMBERS: Final = itertools.count(1)
"""Of requests, throughout the process."""
MODEL: Final = re.compile(r"ideogram-v\d")


@attrs.define(eq=False, repr=False)
class Listeners:
    """Whom a client tells: its hooks, and the log.

    Attributes:
        hooks: The hooks.
    """

    hooks: tuple[Hooks, ...] = ()
    _failed: set[tuple[int, str]] = attrs.field(
        factory=set[tuple[int, str]], init=False
    )

    def tell(self, name: str, level: int, /, **known: Any) -> None:
        """Call a method of everybody with what is *known*.

        Values are made, and their classes are loaded, only where somebody listens.

        Args:
            name: That of a method of `Hooks`.
            level: The level at which the log would have it.
            **known: The fields of the value.
        """
        if not (self.hooks or LOGGER.isEnabledFor(level)):
            return
        from ._logging import Log  # noqa: PLC0415  # most programs listen to nothing
        from .hooks import EVENTS  # noqa: PLC0415

        event = EVENTS[name](**known)
        for hook in (*self.hooks, Log()):
            self._call(hook, name, event)

    def started(self, call: Call, request: Request[Any]) -> None:
        """Note that a request begins, and tell of it."""
        call.request, call.number, call.began = request, next(NUMBERS), monotonic()
        call.is_told = bool(self.hooks) or LOGGER.isEnabledFor(logging.DEBUG)
        if call.is_told:
            self._tell_start(call, request)

    def _tell_start(self, call: Call, request: Request[Any]) -> None:
        from .hooks import RequestStarted  # noqa: PLC0415

        endpoint = request.endpoint
        given: Any = vars(request).get
        named = MODEL.search(endpoint.path)
        started = RequestStarted(
            request_id=call.number,
            operation=type(request).__name__,
            method=endpoint.method,
            path=endpoint.path,
            model=given("model") or (named and named[0]),
            images=(given("num_images") or 1) if _makes_images(request) else 0,
            places=request.places,
            seed=given("seed"),
        )
        for hook in self.hooks:
            prompt = _prompt(request) if hook.sees_prompts else None
            event = attrs.evolve(started, prompt=prompt) if prompt else started
            self._call(hook, "on_request", event)

    def _call(self, hook: Hooks, name: str, event: object) -> None:
        try:
            getattr(hook, name)(event)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # no request suffers from it
            if (id(hook), name) not in self._failed:
                self._failed.add((id(hook), name))
                LOGGER.error(  # noqa: TRY400  # its text may quote a prompt
                    "%s.%s raised %s in %s; further errors of it are not logged",
                    type(hook).__name__,
                    name,
                    type(error).__name__,
                    _place(error),
                )


def _makes_images(request: Request[Any]) -> bool:
    """Whether *request* makes images, each of which is paid."""
    return request.endpoint.method == "POST" and hasattr(request.returns, "images")


def _prompt(request: Request[Any]) -> str | None:
    given = vars(request)
    prompt = given.get("prompt") or given.get("text_prompt")
    return prompt if isinstance(prompt, str) else None


def _place(error: BaseException) -> str:
    """Return where *error* was raised, without its text: that may quote a prompt."""
    last = extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"
