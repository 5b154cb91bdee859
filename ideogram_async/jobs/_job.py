"""The job: what a user makes and runs."""

from __future__ import annotations

from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Iterator,
    Sized,
)
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from ..client import IdeogramClient
from ..errors import ConfigurationError, NotSentError
from ._budget import Price, in_nano
from ._feed import Source
from ._generations import check_address
from ._run import Run, apart
from ._values import Plan, Progress, Report


Rows = Iterable[Any] | AsyncIterable[Any]


def _positive(_: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"{attribute.name} must be 1 or more, got {value}")


def _path(value: Any) -> Path:
    return Path(value)


@attrs.define(eq=False)
class Job:
    """Many requests, their images in one folder, and a journal that survives.

    ```python
    job = Job(prompts, "out", budget="25.00")
    report = await job.run(client)
    ```

    It can be killed at any instant and run again: what is saved is left alone, what was
    answered is only downloaded, and what may have been billed without an answer is
    reported as unknown, and sent again only if that is asked for. Items are known by
    their content, so the source may change between two runs.

    Attributes:
        requests: Requests or prompts: a list, a generator, an async iterable, or a
            function that returns one of these, which is called for each run. Rows are
            drawn as they are needed. An exception among them stands for a bad row.
        out: Folder of the images and of `manifest.jsonl`; made if it is missing.
        journal: Path of the journal; `journal.sqlite` in *out* if None.
        resume: False sets the journal of earlier runs aside and begins anew; all is
            paid again.
        resumable: False keeps the journal in memory: nothing is known of earlier runs,
            and nobody can go on after this one.
        budget: The most that may be spent, by all runs together, in the unit of the
            provider's prices; None for any amount.
        allow_unknown_price: Whether requests without a known price are sent although
            there is a budget, which doesn't count them.
        resend_unknown: Whether what may have been billed without an answer is sent
            again; it may then be paid twice.
        retry_failed: Whether what was refused for good, or whose link has expired, is
            sent again.
        dedupe: Whether a request equal to an earlier one is left out; else each is an
            item of its own.
        limit: Only so many rows of the source, 1 or more; None for all.
        concurrency: Most requests at once, 1 or more; None for as many as the gate
            allows.
        embed_prompt: Whether prompt, seed and model are put into the PNG files, as
            texts; the pixels stay as they are.
        asynchronous: Whether images are made later: each row, a prompt or a
            `GenerateV4`, is submitted, its generation's id written down, and its end
            waited for. A job that is killed meanwhile goes on to wait, and nothing is
            unknown but what was just being submitted.
        webhook_url: An https address that the service tells of every image that it
            makes later. It demands one; the job polls, so nothing need listen there.
        total: Rows in all, for the time left; None if unknown. A list tells it itself.
        price: Tells the most that a request may cost; if None, the published price of
            the dearest provider that may be asked.
        on_progress: Called in the event loop with how far it is, five times a second.

    Raises:
        ValueError: A number is out of its range, or there is no address for webhooks.
    """

    requests: Rows | Callable[[], Rows]
    out: Path = attrs.field(converter=_path)
    journal: Path | None = attrs.field(
        default=None, converter=attrs.converters.optional(_path), kw_only=True
    )
    resume: bool = attrs.field(default=True, kw_only=True)
    resumable: bool = attrs.field(default=True, kw_only=True)
    budget: Decimal | str | float | None = attrs.field(default=None, kw_only=True)
    allow_unknown_price: bool = attrs.field(default=False, kw_only=True)
    resend_unknown: bool = attrs.field(default=False, kw_only=True)
    retry_failed: bool = attrs.field(default=False, kw_only=True)
    dedupe: bool = attrs.field(default=False, kw_only=True)
    limit: int | None = attrs.field(default=None, validator=_positive, kw_only=True)
    concurrency: int | None = attrs.field(
        default=None, validator=_positive, kw_only=True
    )
    embed_prompt: bool = attrs.field(default=False, kw_only=True)
    asynchronous: bool = attrs.field(default=False, kw_only=True)
    webhook_url: str | None = attrs.field(default=None, kw_only=True)
    total: int | None = attrs.field(default=None, kw_only=True)
    price: Price | None = attrs.field(default=None, kw_only=True)
    on_progress: Callable[[Progress], None] | None = attrs.field(
        default=None, kw_only=True
    )
    _run: Run | None = attrs.field(default=None, init=False)
    _is_drawn: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        """Check the budget, and the address of webhooks."""
        check_address(self.webhook_url, asynchronous=self.asynchronous)
        if self.budget is not None:
            in_nano(self.budget)

    async def run(self, client: IdeogramClient) -> Report:
        """Send what was not sent yet, save all images, and return what was done.

        Whatever happens to an item, and also why the job ended early (the budget, the
        credit, `stop`), is in the report. When the task is cancelled nothing new is
        sent, what is under way is waited for and written down, and then the
        cancellation goes on. The client's deadline doesn't concern a job.

        Raises:
            JournalError: The journal can't be opened: another process holds it, it is
                damaged, or of a newer version; or the folder can't be written.
            ConfigurationError: The source was a generator, and is used up.
            UnsupportedRequestError: It is asynchronous, and no provider takes that.
        """
        self._run = run = Run(self, client)
        source, total = self._source()
        return await apart(lambda: run.run(source, total))

    async def plan(self, client: IdeogramClient) -> Plan:
        """Return what `run` would send, and its price; nothing is sent or written.

        Raises:
            JournalError: The journal can't be opened.
            ConfigurationError: The source was a generator, and is used up.
        """
        source, _ = self._source()
        return await apart(lambda: Run(self, client).plan(source))

    def stop(self, reason: str = "it was stopped") -> None:
        """Send nothing new; what is under way still ends, and its images are saved."""
        if self._run is not None:
            self._run.halt.end(NotSentError(reason))

    def leave(self) -> None:
        """Drop everything at once: what is under way may be paid, and is unknown."""
        if self._run is not None:
            self._run.leave()

    def _source(self) -> tuple[Source, int | None]:
        rows = self.requests() if callable(self.requests) else self.requests
        if isinstance(rows, str | bytes):
            raise TypeError(f"expected a list of prompts, got one: {rows!r:.60}")
        if rows is self.requests and isinstance(rows, Iterator | AsyncIterator):
            if self._is_drawn:
                raise ConfigurationError(
                    "the job's source was drawn by an earlier run: give a list, or a"
                    " function that returns a fresh generator"
                )
            self._is_drawn = True
        total = len(rows) if isinstance(rows, Sized) else self.total
        if total is not None and self.limit is not None:
            total = min(total, self.limit)
        return aiter(rows) if isinstance(rows, AsyncIterable) else iter(rows), total
