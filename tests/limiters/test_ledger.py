"""The ledger: order, shares, time to live, and the way back of those who were away."""

from __future__ import annotations

import math

import pytest

from ideogram_async._learning import LearntLimit, Verdict
from ideogram_async._queue import LOOK_AHEAD, MOST_PASSES
from ideogram_async.limiters._ledger import Ledger


Wanted = list[tuple[int, int, bool]]


def made(places: int, *names: str, now: float = 100.0) -> Ledger:
    """Return a ledger with *places*, and members seen at *now*."""
    ledger = Ledger(LearntLimit(places))
    ledger.advance(now)
    for name in names:
        ledger.join(name)
    return ledger


def ones(*numbers: int) -> Wanted:
    """Return wants of one place each."""
    return [(number, 1, False) for number in numbers]


def leases(ledger: Ledger, name: str) -> list[int]:
    """Return the numbers of what *name* holds."""
    return list(ledger.members[name].leases)


def test_text_and_back() -> None:
    """A ledger is the same after a journey through a store."""
    ledger = made(2, "a", "b")
    ledger.wait("a", [(1, 2, False), (2, 1, True)])
    ledger.wait("b", ones(1))
    ledger.admit()
    ledger.pause(5.0, is_down=True)

    again = Ledger.from_text(ledger.text())

    assert again.text() == ledger.text()
    assert again.learnt == ledger.learnt
    assert (again.in_use, again.waiting) == (2, 1)


def test_the_text_is_of_this_format() -> None:
    """Who changes what is written changes FORMAT, and then this test."""
    ledger = made(2, "a")
    ledger.wait("a", [(0, 2, False), (1, 1, False)])
    ledger.admit()

    assert ledger.text() == (
        "[[2, -Infinity, 2, 1.0, 0, 0.0, false, -Infinity, 0, 0, 0], 100.0, -Infinity,"
        ' [["a", 100.0, [[0, 2, 100.0, 2, false]], [[2, 1, 1, 0]]]]]'
    )


@pytest.mark.parametrize(
    "text", ["", "7", "[]", '[[1], 0, 0, [["a"]]]', "[7, 0, 0, 0]"]
)
def test_what_is_no_ledger_is_refused(text: str) -> None:
    """What is not a ledger says so, and nothing else."""
    with pytest.raises(ValueError, match=r"\w"):
        Ledger.from_text(text)


def test_first_come_first_served_over_all_members() -> None:
    """Places go to whoever waits longest, whichever member changes the ledger."""
    ledger = made(2, "a", "b")
    ledger.wait("a", ones(1))
    ledger.wait("b", ones(1))
    ledger.wait("a", ones(1, 2))

    assert ledger.admit() == {"a", "b"}
    assert (leases(ledger, "a"), leases(ledger, "b")) == ([1], [1])


def test_front_goes_before_all_others() -> None:
    """A refused request goes before everybody, of whatever member."""
    ledger = made(1, "a", "b")
    ledger.wait("a", ones(1, 2))
    ledger.wait("b", [(1, 1, True)])

    assert ledger.admit() == {"b"}


def test_large_request_is_not_starved() -> None:
    """A request for four is passed a bounded number of times by requests for one."""
    ledger = made(4, "a", "b")
    ledger.wait("a", ones(0))
    ledger.admit()
    ledger.wait("b", [(0, 4, False)])
    passed = 0
    while not leases(ledger, "b"):
        ledger.wait("a", ones(*range(passed + 1, passed + 4)))
        ledger.admit()
        first = leases(ledger, "a")[0]
        ledger.release("a", first, 1, Verdict.ABANDONED, None)
        passed += 1
        assert passed < 2 * MOST_PASSES
        ledger.admit()

    assert ledger.in_use == 4


def test_equal_backlogs_get_equal_shares() -> None:
    """Who has a thousand requests waits with no more of them at a time than others."""
    ledger = made(10, "a", "b")
    ledger.wait("a", ones(*range(1000)))
    ledger.wait("b", ones(*range(LOOK_AHEAD)))

    assert ledger.waiting == 2 * LOOK_AHEAD


def test_those_that_wait_keep_their_turn() -> None:
    """A request at the front sends nobody of its member to the end of the queue."""
    ledger = made(1, "a", "b")
    numbers = range(LOOK_AHEAD)
    ledger.wait("a", ones(*numbers))
    ledger.wait("b", ones(0))
    ledger.wait("a", [(99, 1, True), *ones(*numbers, 98)])
    tickets = ledger.members["a"].tickets
    last = ledger.members["b"].tickets[0].order

    assert len(tickets) == LOOK_AHEAD + 1
    assert all(each.order < last for each in tickets.values())


def test_who_waits_and_is_not_seen_waits_no_more() -> None:
    """Places are not given to those who may be dead."""
    ledger = made(1, "a", "b")
    ledger.wait("a", ones(1))
    ledger.advance(103.5)
    ledger.join("b")
    ledger.wait("b", ones(1))

    assert ledger.admit() == {"b"}


def test_dead_holder_gives_its_places_back_after_the_time_to_live() -> None:
    """The service goes on generating after a kill, so not before; but then all."""
    ledger = made(10, "a", "b")
    ledger.wait("a", [(1, 10, False)])
    ledger.admit()
    ledger.advance(130.0)
    ledger.join("b")
    ledger.wait("b", ones(1))
    before = ledger.admit()
    ledger.advance(130.1)

    assert (before, ledger.admit()) == (set(), {"b"})
    assert [*ledger.members] == ["b"]


def test_member_that_was_away_has_what_it_holds() -> None:
    """Who was frozen for longer than it lives is counted again, above the limit."""
    ledger = made(4, "a", "b")
    ledger.wait("a", [(1, 4, False)])
    ledger.admit()
    ledger.advance(200.0)
    ledger.join("b")
    ledger.wait("b", ones(1))
    ledger.admit()
    ledger.join("a")
    ledger.hold("a", {1: 4}, ())

    assert ledger.in_use == 5
    assert ledger.admit() == set()


def test_what_a_member_does_not_hold_is_free() -> None:
    """What was given back while the store was lost is not told; it is seen."""
    ledger = made(4, "a")
    ledger.wait("a", ones(1, 2, 3))
    ledger.admit()
    ledger.hold("a", {1: 1}, {2})

    assert leases(ledger, "a") == [1, 2]


def test_trials_are_counted_right_whoever_dies() -> None:
    """The one trial of a service that was down may die, or wake, and another is let."""
    ledger = made(4, "a")
    for number in range(5):
        ledger.learnt.closed_until = -math.inf
        ledger.wait("a", ones(number))
        ledger.admit()
        ledger.release("a", number, 1, Verdict.FAILED, None)
    assert ledger.is_failing(100.0)
    ledger.advance(131.0)
    ledger.join("a")
    ledger.wait("a", ones(7, 8))
    ledger.admit()
    assert (leases(ledger, "a"), ledger.learnt.trials) == ([7], 1)
    ledger.advance(200.0)
    assert ledger.learnt.trials == 0
    ledger.join("a")
    ledger.release("a", 7, 1, Verdict.SERVED, None)

    assert ledger.learnt.trials == 0
    assert not ledger.is_failing(200.0)


def test_pause_holds_for_everybody() -> None:
    """A `Retry-After` that one member got closes the gate for all of them."""
    ledger = made(4, "a", "b")
    ledger.pause(5.0, is_down=True)
    ledger.wait("b", ones(1))
    before = ledger.admit()
    assert ledger.is_failing(104.0)
    ledger.pause(1.0, is_down=False)
    ledger.advance(105.0)
    ledger.join("b")
    ledger.wait("b", ones(1))

    assert (before, ledger.admit()) == (set(), {"b"})


def test_refusal_is_learnt_for_everybody() -> None:
    """What one member was refused lowers the limit of all."""
    ledger = made(10, "a", "b")
    ledger.wait("a", ones(*range(5)))
    ledger.wait("b", ones(*range(5)))
    ledger.admit()
    ledger.release("a", 0, 1, Verdict.REFUSED, None)
    ledger.release("b", 0, 1, Verdict.REFUSED, 4)

    assert ledger.learnt.limit == 4


def test_machine_that_was_started_again_has_nobody() -> None:
    """A clock that begins anew shows that all members are gone; the limit stays."""
    ledger = made(7, "a", now=1e6)
    ledger.wait("a", ones(1))
    ledger.admit()
    ledger.pause(1e6, is_down=True)
    now = ledger.advance(12.0)

    assert (now, ledger.members, ledger.learnt) == (12.0, {}, LearntLimit(7))
    assert not ledger.is_failing(12.0)


def test_time_never_goes_back() -> None:
    """A clock that was set back a little stands still for that long."""
    ledger = made(1, "a")

    assert ledger.advance(90.0) == 100.0


def test_who_leaves_is_forgotten_unless_it_holds_places() -> None:
    """Places of requests that are still under way outlive their member."""
    ledger = made(1, "a", "b")
    ledger.wait("a", ones(1, 2))
    ledger.wait("b", ones(1))
    ledger.admit()
    for name in ("a", "b"):
        ledger.leave(name)

    assert ([*ledger.members], ledger.in_use, ledger.waiting) == (["a"], 1, 0)
