"""What the client said of every request, kept on disk, and compared with the ledger.

There are three witnesses of each prompt: the service's ledger, the hooks of the client,
and what the caller was told. In memory there is only what is under way, so that the
memory that is watched is the client's.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import attrs

from ideogram_async import Stats
from ideogram_async.hooks import Attempt, Hooks, Outcome, RequestStarted, Sending


@attrs.define
class Seen:
    """What is known of one prompt.

    Attributes:
        billed: Images of each time that the service billed it.
        told: What its caller was told: `"answered"`, `"unknown"`, `"not sent"` (or
            refused), or `"cancelled"` by the caller.
        images: Images that came, and that were withheld.
        cost: What the client counted.
        price: What it costs if it ran.
        is_unknown: Whether the client counted it as perhaps billed.
    """

    billed: list[int] = attrs.field(factory=list[int])
    told: str = ""
    images: int = 0
    cost: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    is_unknown: bool = False


class Accounts(Hooks):
    """Writes down what the client tells of each request, and what callers were told."""

    sees_prompts: ClassVar[bool] = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("w", encoding="utf-8")
        self._prompts = dict[int, str]()
        self.under_way = 0
        self.ended = 0
        self.attempts = 0

    def on_send(self, sending: Sending) -> None:
        self.attempts += 1

    def on_attempt(self, attempt: Attempt) -> None:
        self.attempts -= 1

    def on_request(self, started: RequestStarted) -> None:
        self.under_way += 1
        if started.prompt:
            self._prompts[started.request_id] = started.prompt

    def on_outcome(self, outcome: Outcome) -> None:
        self.under_way -= 1
        self.ended += 1
        prompt = self._prompts.pop(outcome.request_id, None)
        if prompt is None:  # a poll
            return
        is_answered = outcome.error is None
        cost = str(outcome.cost.amount) if is_answered else "0"
        images = 1 if outcome.generation_id else outcome.images + outcome.withheld
        self._write("hook", prompt, cost, images, outcome.is_unknown)

    def asked(self, prompt: str, price: Decimal) -> None:
        """Note what a request will cost."""
        self._write("asked", prompt, str(price))

    def tell(self, prompt: str, what: str) -> None:
        """Note what the caller of a request was told."""
        self._write("told", prompt, what)

    def _write(self, *line: Any) -> None:
        self._file.write(json.dumps(line) + "\n")

    def read(self) -> Iterator[list[Any]]:
        """Close the file, and yield its lines."""
        self._file.close()
        with self._path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def gathered(accounts: Accounts, charges: list[list[Any]]) -> dict[str, Seen]:
    """Return what all three witnesses say, by prompt."""
    found = dict[str, Seen]()
    for kind, prompt, *said in accounts.read():
        seen = found.setdefault(prompt, Seen())
        if kind == "asked":
            seen.price = Decimal(said[0])
        elif kind == "told":
            seen.told = said[0]
        else:
            seen.cost, seen.images, seen.is_unknown = Decimal(said[0]), said[1], said[2]
    for prompt, images in charges:
        found.setdefault(prompt, Seen()).billed.append(images)
    return found


def wrong(prompt: str, seen: Seen) -> str | None:
    """Return what is wrong with the accounts of *prompt*, or None."""
    billed = sum(seen.billed)
    is_counted = seen.is_unknown or seen.cost > 0
    right = {
        "answered": billed == seen.images > 0 and seen.cost == seen.price,
        "unknown": is_counted,
        "not sent": not billed,
        "cancelled": is_counted or not billed,
    }
    if right.get(seen.told) and len(seen.billed) <= 1 and (is_counted or not billed):
        return None
    return f"{prompt}: {seen}"


def audit(found: dict[str, Seen], stats: Stats) -> tuple[list[str], str]:
    """Compare the witnesses; return what is wrong, and a summary."""
    problems = [said for each in found.items() if (said := wrong(*each))]
    billed = sum((each.price for each in found.values() if each.billed), Decimal(0))
    ours = sum((each.cost for each in found.values()), Decimal(0))
    unknown = [each for each in found.values() if each.is_unknown]
    paid = sum((each.price for each in unknown if each.billed), Decimal(0))
    counted = stats.costs.get("USD", Decimal(0))
    if ours != counted:
        problems.append(f"hooks heard of {ours} USD, stats count {counted}")
    if billed != counted + paid:
        problems.append(f"{billed} USD billed, {counted} counted, {paid} unknown")
    if stats.unknown != len(unknown):
        problems.append(f"stats count {stats.unknown} unknown, hooks {len(unknown)}")
    fates = dict(Counter(each.told for each in found.values()))
    return problems, (
        f"{len(found)} prompts {fates}; {billed} USD billed = {counted} answered"
        f" + {paid} of {sum(bool(e.billed) for e in unknown)} that ran among"
        f" {len(unknown)} unknown"
    )
