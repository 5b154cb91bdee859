"""Whom a client tells: its hooks, and the log. None of them can harm a request."""

from __future__ import annotations

import asyncio
import itertools
import logging
import re
from time import monotonic
from traceback import extract_tb
from typing import Any, Final

import attrs

from ._call import Call
from ._logging import LOGGER, Log
from .hooks import Hooks, RequestStarted
from .requests import Request


NUMBERS: Final = itertools.count(1)
"""Of requests, throughout the process."""
MODEL: Final = re.compile(r"ideogram-v\d")
LOG: Final = Log()


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

    def tell(self, name: str, event: object) -> None:
        """Call the method *name* of everybody with *event*."""
        for hook in self.hooks:
            self._call(hook, name, event)
        self._call(LOG, name, event)

    def started(self, call: Call, request: Request[Any]) -> None:
        """Note that a request begins, and tell of it."""
        call.request, call.number, call.began = request, next(NUMBERS), monotonic()
        call.is_told = bool(self.hooks) or LOGGER.isEnabledFor(logging.DEBUG)
        if not call.is_told:
            return
        plain = _started(call, request)
        for hook in self.hooks:
            prompt = _prompt(request) if hook.sees_prompts else None
            event = attrs.evolve(plain, prompt=prompt) if prompt else plain
            self._call(hook, "on_request", event)

    def _call(self, hook: Hooks, name: str, event: object) -> None:
        try:
            getattr(hook, name)(event)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # no request suffers from it
            if (id(hook), name) not in self._failed:
                self._failed.add((id(hook), name))
                LOGGER.error(
                    "%s.%s raised %s in %s; further errors of it are not logged",
                    type(hook).__name__,
                    name,
                    type(error).__name__,
                    _place(error),
                )


def _started(call: Call, request: Request[Any]) -> RequestStarted:
    endpoint = request.endpoint
    given: Any = vars(request).get
    images = given("num_images") or 1
    named = MODEL.search(endpoint.path)
    return RequestStarted(
        request_id=call.number,
        operation=type(request).__name__,
        method=endpoint.method,
        path=endpoint.path,
        model=given("model") or (named and named[0]),
        images=images if makes_images(request) else 0,
        places=request.places,
        seed=given("seed"),
    )


def makes_images(request: Request[Any]) -> bool:
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
