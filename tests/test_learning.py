"""The arithmetic of the gate: what each verdict does to the limit."""

from __future__ import annotations

import math

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ideogram_async._learning import (
    ANSWERS_PER_REFUSAL,
    LONGEST_CLOSURE,
    MOST_CREDIT,
    MOST_WINDOWS,
    WINDOWS,
    LearntLimit,
    Lease,
    Verdict,
)

from .learnt import Gate, full


def probing() -> tuple[Gate, list[Lease], Lease]:
    """Return a gate of 10 that has tried an eleventh place, and the probe's lease."""
    gate, leases = full()
    for number in range(10):
        assert gate.end(leases.pop(0), Verdict.SERVED, at=6.0) == 10 + number // 9
        leases.append(gate.take(at=6.0))
    return gate, leases, gate.take(at=6.0)


@pytest.mark.parametrize(
    ("places", "in_use", "allowed"),
    [
        pytest.param(1, 9, True, id="last-place"),
        pytest.param(1, 10, False, id="full"),
        pytest.param(4, 7, False, id="too-many"),
        pytest.param(12, 0, True, id="larger-than-limit-alone"),
        pytest.param(12, 1, False, id="larger-than-limit-not-alone"),
    ],
)
def test_places_are_allowed_up_to_the_limit(
    places: int, in_use: int, *, allowed: bool
) -> None:
    """Up to the limit everything goes; more than the limit goes only alone."""
    assert LearntLimit(10).allows(places, in_use, 0.0) is allowed


def test_refusal_leaves_what_is_in_flight() -> None:
    """The limit becomes the places still in flight, whatever it was."""
    gate, leases = full(40)

    limits = [gate.end(lease, Verdict.REFUSED, at=0.1) for lease in leases[10:]]

    assert limits == list(range(39, 9, -1))


def test_refusal_of_several_places_keeps_what_was_proven() -> None:
    """A refused request for 8 says nothing against the 10 places that were served."""
    gate = Gate(10)
    gate.take(3)
    large = gate.take(8)

    assert gate.end(large, Verdict.REFUSED, at=0.1) == 10


def test_refusal_of_several_places_lowers_the_limit_below_them() -> None:
    """What was refused in all is more than the service serves."""
    gate = Gate(10)
    gate.take(2)
    large = gate.take(6)

    assert gate.end(large, Verdict.REFUSED, at=0.1) == 7


def test_limit_is_never_below_one() -> None:
    """A refusal with nothing in flight leaves one place, and closes the gate."""
    gate = Gate(10)

    assert gate.end(gate.take(), Verdict.REFUSED, at=0.0) == 1
    assert 0.5 <= gate.learnt.closed_until <= 1.0
    assert not gate.learnt.allows(1, 0, 0.4)
    assert gate.learnt.allows(1, 0, 1.1)


def test_named_limit_is_taken_over() -> None:
    """A refusal that names the limit sets it, down or up, at once."""
    gate, leases = full(10)

    assert gate.end(leases.pop(), Verdict.REFUSED, at=0.1, named=4) == 4


def test_named_limit_above_what_is_in_flight_is_not_ours_alone() -> None:
    """Others use the key as well if less than the named limit is refused."""
    gate = Gate(10)
    gate.take()
    second = gate.take()

    assert gate.end(second, Verdict.REFUSED, at=0.1, named=10) == 1


def test_named_limit_is_believed_for_long() -> None:
    """Above what the service itself named nothing is tried for the longest time."""
    gate, leases = full()
    for lease in leases[8:]:
        gate.end(lease, Verdict.REFUSED, at=1.0, named=8)
    gate.learnt.credit, gate.in_use = 5.0, 0

    assert gate.serve(8 * MOST_WINDOWS - 1, at=2.0) == 8
    assert gate.serve(at=2.0) == 9


def test_a_place_is_probed_after_a_window() -> None:
    """After as many answers as there are places, none refused, one more is tried."""
    gate = Gate(10)

    assert gate.serve(9) == 10
    assert gate.serve() == 11


def test_nothing_is_probed_while_nobody_waits() -> None:
    """The limit does not grow on idle places, and is tried as soon as work waits."""
    gate = Gate(10)

    assert gate.serve(100, is_wanted=False) == 10
    assert gate.serve() == 11


def test_served_probes_lengthen_the_step() -> None:
    """Each served probe adds half as many places again, and at once."""
    gate, _, probe = probing()

    limits = list[int]()
    for _ in range(6):
        limits.append(gate.end(probe, Verdict.SERVED, at=7.0))
        while gate.in_use < gate.learnt.limit:
            probe = gate.take(at=7.0)

    assert limits == [12, 14, 17, 22, 29, 40]


def test_one_served_probe_stands_for_those_that_left_with_it() -> None:
    """The other probes of one step are no news once one of them was served."""
    gate, _, probe = probing()
    gate.end(probe, Verdict.SERVED, at=7.0)
    _, probe = gate.take(at=7.0), gate.take(at=7.0)
    gate.end(probe, Verdict.SERVED, at=8.0)
    _, *probes = [gate.take(at=8.0) for _ in range(3)]

    assert [gate.end(each, Verdict.SERVED, at=8.5) for each in probes] == [17, 17]


def test_a_hung_probe_does_not_stop_learning() -> None:
    """Other places are tried although one probe never ends."""
    gate, leases, _ = probing()
    for lease in leases:
        gate.end(lease, Verdict.SERVED, at=7.0)

    assert gate.serve(100, at=8.0) > 15


def test_probes_from_before_a_refusal_are_no_news() -> None:
    """A late answer to an old probe does not raise a limit that was just lowered."""
    gate, _, probe = probing()
    gate.end(probe, Verdict.SERVED, at=7.0)
    old, refused = gate.take(at=7.0), gate.take(at=7.0)
    limit = gate.end(refused, Verdict.REFUSED, at=7.1)
    gate.end(gate.take(at=7.1), Verdict.REFUSED, at=7.2, named=5)

    assert gate.end(old, Verdict.SERVED, at=7.3) == 5 < limit


def test_unused_probes_do_not_heap_up_steps() -> None:
    """Places proven one by one while nobody waits do not make the next step large."""
    gate, leases, probe = probing()
    gate.end(probe, Verdict.SERVED, at=7.0)
    probes = [gate.take(at=7.0) for _ in range(2)]
    for each in [*probes, *leases]:
        assert gate.end(each, Verdict.SERVED, at=8.0, is_wanted=False) == 12

    assert gate.serve(at=9.0) == 13


@pytest.mark.parametrize(
    ("credit", "windows"),
    [
        pytest.param(2.0, WINDOWS, id="within-the-budget"),
        pytest.param(-9.0, MOST_WINDOWS, id="over-the-budget"),
    ],
)
def test_a_refusal_delays_the_next_probe(credit: float, windows: int) -> None:
    """The next probe waits for some windows, and longer once the budget is spent."""
    gate = Gate(4)
    gate.take(3)
    gate.learnt.credit = credit
    assert gate.end(gate.take(2), Verdict.REFUSED, at=1.0) == 4

    assert gate.serve(4 * windows - 1, at=2.0) == 4
    assert gate.serve(at=2.0) == 5


def test_answers_earn_the_budget_for_refusals() -> None:
    """One refusal in so many answers is within the budget."""
    gate = Gate(10)
    gate.take(9)
    gate.end(gate.take(), Verdict.REFUSED, at=1.0)
    assert gate.learnt.credit == -1.0

    gate.serve(ANSWERS_PER_REFUSAL, at=2.0, is_wanted=False)

    assert gate.learnt.credit == pytest.approx(0.0)


def test_neither_budget_nor_debt_grows_for_ever() -> None:
    """What lies long back, good or bad, does not decide how the gate probes."""
    gate = Gate(10)
    gate.serve(2 * ANSWERS_PER_REFUSAL * int(MOST_CREDIT), is_wanted=False)
    assert gate.learnt.credit == pytest.approx(MOST_CREDIT, abs=0.1)

    gate.take()
    for _ in range(3 * int(MOST_CREDIT)):
        gate.end(gate.take(), Verdict.REFUSED, at=1.0)
    assert gate.learnt.credit == -MOST_CREDIT


def test_the_state_is_a_plain_value() -> None:
    """What was learnt can be stored as a row of numbers, and goes on from there."""
    gate, leases = full()
    gate.end(leases.pop(), Verdict.REFUSED, at=1.0)
    row = attrs.asdict(gate.learnt)

    assert all(isinstance(value, int | float) for value in row.values())
    assert LearntLimit(**row) == gate.learnt


@pytest.mark.parametrize("verdict", [Verdict.REJECTED, Verdict.ABANDONED])
def test_other_verdicts_say_nothing_of_the_limit(verdict: Verdict) -> None:
    """An invalid request, or a cancelled one, leaves the limit alone."""
    gate, leases = full()

    assert [gate.end(lease, verdict, at=60.0) for lease in leases] == [10] * 10
    assert gate.learnt.closed_until == -math.inf


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Verdict),
            st.integers(1, 8),
            st.floats(0, 60),
            st.booleans(),
            st.none() | st.integers(1, 64),
        ),
        max_size=60,
    )
)
def test_the_limit_stays_within_reason(
    events: list[tuple[Verdict, int, float, bool, int | None]],
) -> None:
    """Whatever happens, the limit is 1 or more, and never runs away."""
    gate, now = Gate(), 0.0
    for verdict, places, seconds, is_wanted, named in events:
        now = max(now, gate.learnt.closed_until)
        lease = gate.take(places, at=now)
        now += seconds
        served = gate.learnt.limit
        limit = gate.end(lease, verdict, at=now, is_wanted=is_wanted, named=named)

        assert 1 <= limit <= max(2 * served + places, named or 0)
        assert gate.learnt.closed_until - now <= LONGEST_CLOSURE
