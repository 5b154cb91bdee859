"""The log of the standard library: silent until the program turns it on.

Lines are made of the values that hooks get, so there is no key, prompt or link in them.
DEBUG tells every attempt, INFO what is sent again and what failed, WARNING what was
paid, or may have been, for nothing.
"""

from __future__ import annotations

import logging
from typing import Final

from .hooks import Attempt, Download, Hooks, LimitChange, Outcome, Retry, Wait


LOGGER: Final = logging.getLogger(__package__)


class Log(Hooks):
    """Writes down what hooks are told."""

    def on_wait(self, wait: Wait) -> None:
        """Write down how long it was."""
        LOGGER.debug(
            "request %d %s: waited %.3f s for %d places of %s%s",
            wait.request_id,
            wait.operation,
            wait.seconds,
            wait.places,
            wait.provider,
            _with(wait.error),
        )

    def on_attempt(self, attempt: Attempt) -> None:
        """Write down how it ended."""
        LOGGER.debug(
            "request %d %s: attempt %d at %s, status %s after %.3f s, %d of %d places"
            " in use%s",
            attempt.request_id,
            attempt.operation,
            attempt.number,
            attempt.provider,
            attempt.status,
            attempt.seconds,
            attempt.in_use,
            attempt.limit,
            _with(attempt.error),
        )

    def on_retry(self, retry: Retry) -> None:
        """Write down why, and when."""
        LOGGER.info(
            "request %d %s: %s at attempt %d at %s; sent again after %.3f s",
            retry.request_id,
            retry.operation,
            retry.error,
            retry.number,
            retry.provider,
            retry.delay,
        )

    def on_outcome(self, outcome: Outcome) -> None:
        """Write down how it ended; loudly where something may be paid for nothing."""
        level = logging.INFO if outcome.error else logging.DEBUG
        end = outcome.error or f"{outcome.images} images, cost {outcome.cost}"
        if outcome.is_unknown:
            level, end = logging.WARNING, f"{end}; it may have run and be billed"
        if outcome.withheld:
            level, end = (
                logging.WARNING,
                f"{end}, {outcome.withheld} billed but withheld",
            )
        LOGGER.log(
            level,
            "request %d %s: ended after %d attempts in %.3f s at %s: %s",
            outcome.request_id,
            outcome.operation,
            outcome.attempts,
            outcome.seconds,
            outcome.provider,
            end,
        )

    def on_download(self, download: Download) -> None:
        """Write down how it ended."""
        LOGGER.log(
            logging.INFO if download.error else logging.DEBUG,
            "download from %s: %d bytes in %.3f s%s",
            download.host,
            download.size,
            download.seconds,
            _with(download.error),
        )

    def on_limit(self, change: LimitChange) -> None:
        """Write down the new limit."""
        LOGGER.info(
            "the limit of %s is %d places now, and was %d",
            change.provider,
            change.after,
            change.before,
        )


def _with(error: str | None) -> str:
    return f", {error}" if error else ""
