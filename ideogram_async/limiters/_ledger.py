"""The ledger: what all processes that share one limit know together, as one value.

It says who holds how many places, who waits in which order, and what was learnt of the
limit. Every change is a function of the ledger and the time, so that it may run within
a transaction of any store; no clock and no waiting here.

A member is one event loop of one process. It is seen whenever it changes the ledger. If
it is not seen for `TIME_TO_LIVE`, its places are free again: later than its death,
since the service goes on generating. Who waits must be seen more often, so that no
places are given to the dead.
"""

from __future__ import annotations

import json
import math
from collections.abc import Container, Iterable, Mapping
from operator import attrgetter
from typing import Any, Final, Self

import attrs

from .._learning import LearntLimit, Lease, Verdict
from .._queue import LOOK_AHEAD, next_in


FORMAT: Final = "1"
"""Changes with what `Ledger.text` writes: programs of two formats share nothing."""
TIME_TO_LIVE: Final = 30.0
"""Seconds after which a member that was not seen loses its places."""
WAITING_TO_LIVE: Final = 3.0
"""Seconds after which a member that was not seen waits no more."""

LEARNT: Final = attrgetter(*(field.name for field in attrs.fields(LearntLimit)))
HELD: Final = attrgetter(*(field.name for field in attrs.fields(Lease)))


@attrs.define(eq=False)
class Ticket:
    """One request that waits.

    Attributes:
        order: Those with a smaller one are before it.
        member: Name of whose it is.
        number: By which its member knows it.
        places: How many it needs.
        passes: How often it was passed.
    """

    order: int
    member: str
    number: int
    places: int
    passes: int = 0

    @property
    def is_gone(self) -> bool:
        """Whether it waits no more; those are not in a ledger."""
        return False


@attrs.define(eq=False)
class Member:
    """One event loop of one process.

    Attributes:
        seen_at: When it last changed the ledger.
        leases: What it holds, by number.
        tickets: What it waits for, by number.
    """

    seen_at: float
    leases: dict[int, Lease] = attrs.field(factory=dict[int, Lease])
    tickets: dict[int, Ticket] = attrs.field(factory=dict[int, Ticket])


@attrs.define(eq=False)
class Ledger:
    """Places, members, and the learnt limit.

    Attributes:
        learnt: The limit.
        changed_at: When it was last changed.
        down_until: The service is down until then.
        members: Those who share it, by name.
    """

    learnt: LearntLimit
    changed_at: float = -math.inf
    down_until: float = -math.inf
    members: dict[str, Member] = attrs.field(factory=dict[str, Member])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Return the ledger that `text` made *text* of.

        Raises:
            ValueError: It is none.
        """
        try:
            learnt, changed_at, down_until, members = json.loads(text)
            return cls(
                LearntLimit(*learnt),
                changed_at,
                down_until,
                {name: _member(name, *values) for name, *values in members},
            )
        except TypeError:
            raise ValueError("it is of another shape") from None

    def text(self) -> str:
        """Return it as text, for a store."""
        members = [
            (
                name,
                member.seen_at,
                [(number, *HELD(lease)) for number, lease in member.leases.items()],
                [
                    (each.order, each.number, each.places, each.passes)
                    for each in member.tickets.values()
                ],
            )
            for name, member in self.members.items()
        ]
        learnt = LEARNT(self.learnt)
        return json.dumps((learnt, self.changed_at, self.down_until, members))

    @property
    def in_use(self) -> int:
        """Places in use, by all members."""
        return sum(
            lease.places
            for member in self.members.values()
            for lease in member.leases.values()
        )

    @property
    def waiting(self) -> int:
        """Requests that wait, of all members."""
        return sum(len(member.tickets) for member in self.members.values())

    def is_failing(self, now: float) -> bool:
        """Whether the gate is closed because the service is down."""
        if now < self.down_until:
            return True
        return self.learnt.is_ailing and not self.learnt.allows(1, self.in_use, now)

    def advance(self, now: float) -> float:
        """Let time pass until *now*: forget who was not seen for long.

        A clock that went back a long way is that of a machine that was started again,
        where nobody is left.

        Returns:
            The time, which never goes back.
        """
        if now < self.changed_at - TIME_TO_LIVE:
            self.members.clear()
            self.learnt = LearntLimit(self.learnt.limit)
            self.changed_at = self.down_until = -math.inf
        self.changed_at = now = max(now, self.changed_at)
        for name, member in [*self.members.items()]:
            unseen = now - member.seen_at
            if unseen > WAITING_TO_LIVE:
                member.tickets.clear()
            if unseen > TIME_TO_LIVE:
                self._drop(member, [*member.leases])
                del self.members[name]
        return now

    def join(self, name: str) -> None:
        """Note that the member *name* lives."""
        self.members.setdefault(name, Member(self.changed_at)).seen_at = self.changed_at

    def hold(self, name: str, held: Mapping[int, int], wanted: Container[int]) -> None:
        """Let the member *name* hold just what it says.

        What it was thought to have lost, since it was frozen or cut off, is its own
        again: the service counts it all the same.

        Args:
            name: Of the member.
            held: The places of each of its leases, by number.
            wanted: The numbers of what it waits for: what was given to these meanwhile
                stays as well.
        """
        leases = self.members[name].leases
        for number in held.keys() - leases.keys():
            leases[number] = _unseen(held[number])
        lost = [each for each in leases if each not in held and each not in wanted]
        self._drop(self.members[name], lost)

    def leave(self, name: str) -> None:
        """Forget the member *name*, unless it holds places: those live on."""
        member = self.members[name]
        member.tickets.clear()
        if not member.leases:
            del self.members[name]

    def wait(self, name: str, wanted: Iterable[tuple[int, int, bool]]) -> None:
        """Let the member *name* wait for just what is *wanted*.

        So many wait at once, and the others when it is their turn: members who have
        much to do get equal shares, whoever has the most.

        Args:
            name: Of the member.
            wanted: For each request its number, its places, and whether it goes before
                all others. Those that wait already keep their turn.
        """
        member = self.members[name]
        before = member.tickets
        orders = [
            t.order for each in self.members.values() for t in each.tickets.values()
        ]
        first, last = min(orders, default=0), max(orders, default=0)
        member.tickets = {}
        for number, places, is_front in wanted:
            if number in member.leases:
                continue
            ticket = before.get(number)
            if ticket is None:
                if len(member.tickets) >= LOOK_AHEAD and not is_front:
                    continue
                first, last = (first - 1, last) if is_front else (first, last + 1)
                order = first if is_front else last
                ticket = Ticket(order, name, number, places)
            member.tickets[number] = ticket

    def release(
        self, name: str, number: int, places: int, verdict: Verdict, named: int | None
    ) -> None:
        """Take back what the member *name* holds, and learn from what became of it."""
        lease = self.members[name].leases.pop(number, None) or _unseen(places)
        self._learn(lease, verdict, named)

    def pause(self, seconds: float, *, is_down: bool) -> None:
        """Let nothing through for *seconds*."""
        self.learnt.close(self.changed_at, seconds)
        if is_down:
            self.down_until = max(self.down_until, self.changed_at + seconds)

    def admit(self) -> set[str]:
        """Give places to those who may go, and return the names of their members."""
        in_use, now, served = self.in_use, self.changed_at, set[str]()

        def fits(places: int) -> bool:
            return self.learnt.allows(places, in_use, now)

        if not fits(1):
            return served
        queue = sorted(
            (t for each in self.members.values() for t in each.tickets.values()),
            key=attrgetter("order"),
        )
        while queue and fits(1):
            ticket = next_in(queue, fits, self.learnt.limit)
            if ticket is None:
                break
            in_use += ticket.places
            member = self.members[ticket.member]
            lease = self.learnt.take(ticket.places, in_use, now)
            member.leases[ticket.number] = lease
            del member.tickets[ticket.number]
            served.add(ticket.member)
        return served

    def _drop(self, member: Member, numbers: Iterable[int]) -> None:
        """Forget leases of which nobody will tell what became of them."""
        for number in numbers:
            self._learn(member.leases.pop(number), Verdict.ABANDONED, None)

    def _learn(self, lease: Lease, verdict: Verdict, named: int | None) -> None:
        self.learnt.learn(
            lease,
            verdict,
            self.changed_at,
            in_use=self.in_use,
            is_wanted=self.waiting > 0,
            named=named,
        )


def _unseen(places: int) -> Lease:
    """Return the lease of places that were taken elsewhere; it shows no limit."""
    return Lease(places, -math.inf, 0)


def _member(
    name: str, seen_at: float, leases: list[list[Any]], tickets: list[list[int]]
) -> Member:
    return Member(
        seen_at,
        {number: Lease(*values) for number, *values in leases},
        {
            number: Ticket(order, name, number, places, passes)
            for order, number, places, passes in tickets
        },
    )
