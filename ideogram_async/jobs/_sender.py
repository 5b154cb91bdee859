"""Sends one item and writes down what became of it, before anything else happens."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, cast

import attrs

from .._call import Call, Halt
from .._codec import to_jsonable
from .._retry import LOCKS_OUT
from ..costs import Cost
from ..errors import (
    BadRequestError,
    BudgetExceededError,
    ConfigurationError,
    DecodeError,
    GenerationFailedError,
    IdeogramError,
    JournalError,
    NotFoundError,
    SafetyError,
    UnsupportedRequestError,
)
from ..providers import Provider
from ..requests import Request
from ..responses import ImageObject
from ._budget import Budget, in_nano
from ._folder import Folder
from ._generations import Generations
from ._items import Item, Reread, as_text
from ._journal import Journal
from ._values import State


FINAL: Final = (
    BadRequestError,
    GenerationFailedError,
    NotFoundError,
    SafetyError,
    UnsupportedRequestError,
    ValueError,
)
"""Sending the same again would end the same."""

ENDS_WAIT: Final = (BadRequestError, GenerationFailedError, NotFoundError)
"""There is nothing to wait for: the generation failed, or is not known (any more)."""

ENDS_ALL: Final = (ConfigurationError, JournalError)


@attrs.define(eq=False)
class Witness:
    """Writes `sent` before every attempt, and takes it back where nothing ran.

    Attributes:
        journal: Where it writes.
        item: What is sent.
        price: What an attempt costs, in billionths; None if unknown.
        budget: Where it was set aside for the first attempt.
        reserved: Set aside for all attempts, in billionths.
        under_way: Attempts that may have run.
    """

    journal: Journal
    item: Item
    price: int | None
    budget: Budget
    reserved: int = 0
    under_way: int = 0

    async def sending(self) -> None:
        """Note, on disk, that an attempt is about to leave.

        Raises:
            BudgetExceededError: One before it may be paid too, and both are too much.
            JournalError: It could not be written.
        """
        self._add(1)
        if self.under_way > 1:
            self.budget.reserve_now(self.price or 0)
            self.reserved += self.price or 0
        await self.journal.move(
            self.item, "sent", request=self.item.asked, answer=None, files=None
        )

    def spared(self) -> None:
        """Note that the attempt did not run."""
        self._add(-1)
        state: State = "sent" if self.under_way else self.item.resting
        self.journal.move_soon(self.item, state)

    def failed(self) -> None:
        """Note that the attempt was accepted, and ended as failed, which is free."""
        self._add(-1)

    def answered(self, cost: Cost) -> None:
        """Note what the attempt that was answered cost, where it was answered."""
        if self.price is not None and cost.amount is not None:
            self.item.cost += in_nano(cost.amount) - self.price

    def _add(self, attempts: int) -> None:
        self.under_way += attempts
        self.item.cost += attempts * (self.price or 0)
        self.item.unpriced += attempts * (self.price is None)


@attrs.frozen
class Answered:
    """An answer whose images are to be saved.

    Attributes:
        item: Whose answer it is.
        images: The images in it.
        files: For each image its name; None for one that was withheld.
    """

    item: Item
    images: tuple[ImageObject, ...]
    files: list[str | None]


@attrs.define(eq=False)
class Sender:
    """Sends items.

    Attributes:
        generations: What is asked.
        journal: Where everything is written.
        folder: Gives the names of images.
        budget: The money.
        halt: Ends the job.
        on_problem: Told of what went wrong with an item.
        at_list_price: Whether prices are those of who answers, as published.
        stranded: Answers that could not be written down.
    """

    generations: Generations
    journal: Journal
    folder: Folder
    budget: Budget
    halt: Halt
    on_problem: Callable[[Item, Exception], None]
    at_list_price: bool = True
    stranded: list[Any] = attrs.field(factory=list[Any], init=False)

    async def deliver(self, item: Item, request: Request[Any]) -> Answered | None:
        """Send *item*, write down what became of it, and return its answer."""
        call = Call(halt=self.halt)
        try:
            price = self.budget.price_of(request)
        except BudgetExceededError as error:
            self.on_problem(item, error)
            return None
        try:
            await call.wait(lambda: self.budget.reserve(price or 0), "for the budget")
        except IdeogramError as error:
            self.halt.end(error)
            return None
        before = item.cost
        call.witness = witness = Witness(
            self.journal, item, price, self.budget, price or 0
        )
        try:
            response = await self.generations.send(request, item, call, price)
        except Exception as error:  # noqa: BLE001  # one item never harms another
            await self._note(error, witness, attempts=call.attempts)
            return None
        else:
            provider = cast("Provider", call.answered_by)
            if self.at_list_price:
                witness.answered(provider.cost(request))
            return await self._keep(
                item, response, provider=provider.name, attempts=call.attempts
            )
        finally:
            self.budget.settle(witness.reserved, item, before)

    async def resume(self, number: int) -> Answered | None:
        """Wait for a generation of an earlier run, and return its answer.

        Raises:
            JournalError: The journal can't be read.
        """
        return await self.follow(await self.journal.reread(number))

    async def follow(self, known: Reread) -> Answered | None:
        """Wait for a generation that was submitted, and return its answer."""
        item, accepted, _, price = known
        before = item.cost
        witness = Witness(self.journal, item, price, self.budget, under_way=1)
        try:
            response = await self.generations.wait(accepted["generation_id"])
        except Exception as error:  # noqa: BLE001  # one item never harms another
            await self._note(error, witness)
            return None
        else:
            return await self._keep(item, response)
        finally:
            self.budget.settle(0, item, before)

    async def _note(
        self, error: Exception, witness: Witness, **columns: object
    ) -> None:
        if isinstance(error, GenerationFailedError):
            witness.failed()
        item, state = witness.item, _state_after(error, witness)
        failover = self.generations.failover
        is_locked_out = isinstance(error, LOCKS_OUT) and failover.is_locked_out()
        if is_locked_out or isinstance(error, ENDS_ALL):
            self.halt.end(error)
        is_as_before = state == item.resting and not witness.under_way
        if is_as_before and self.halt.reason not in {None, error}:
            return
        try:
            await self.journal.move(
                item, state, error=told(error), request=item.asked, **columns
            )
        except JournalError as fault:
            self.halt.end(fault)
        self.on_problem(item, error)

    async def _keep(self, item: Item, response: Any, **columns: object) -> Answered:
        images: tuple[ImageObject, ...] = getattr(response, "data", ())
        answer = to_jsonable(response)
        while True:
            files = self._names(item, images)
            try:
                await self.journal.move(
                    item,
                    "answered",
                    request=item.asked,
                    answer=as_text(answer),
                    files=json.dumps(files),
                    error=None,
                    **columns,
                )
            except FileExistsError:  # another worker took a name meanwhile
                continue
            except JournalError as error:
                self.halt.end(error)
                asked = json.loads(item.asked)
                self.stranded.append({"request": asked, "response": answer})
            return Answered(item, images, files)

    def _names(self, item: Item, images: tuple[ImageObject, ...]) -> list[str | None]:
        return [
            None if image.is_withheld else self.folder.name_for(item.position, image)
            for image in images
        ]


def told(error: Exception) -> str:
    """Return *error* as the manifest has it; a paid body that can't be read is kept."""
    known = {"type": type(error).__name__, "message": str(error)}
    if isinstance(error, DecodeError):
        known["body"] = error.body.decode(errors="replace")
    return as_text(known)


def _state_after(error: Exception, witness: Witness) -> State:
    if witness.item.state == "submitted" and not isinstance(error, ENDS_WAIT):
        return "submitted"
    if witness.under_way:
        return "unknown"
    return "failed" if isinstance(error, FINAL) else witness.item.resting
