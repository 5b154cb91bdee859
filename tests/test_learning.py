"""The arithmetic of the gate: what each verdict does to the limit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ideogram_async._learning import (
    FAILURES_TO_CLOSE,
    LONGEST_CLOSURE,
    WINDOWS_AFTER_NAMED,
    LearntLimit,
    Lease,
    Verdict,
)


class Gate:
    """A learnt limit with the count of places that its caller keeps."""

    def __init__(self, limit: int = 10) -> None:
        self.learnt = LearntLimit(limit)
        self.in_use = 0

    def take(self, places: int = 1, *, at: float = 0.0) -> Lease:
        self.in_use += places
        return self.learnt.take(places, self.in_use, at)

    def end(
        self,
        lease: Lease,
        verdict: Verdict,
        *,
        at: float,
        is_wanted: bool = True,
        named: int | None = None,
    ) -> int:
        """Learn *verdict* and return the limit."""
        self.in_use -= lease.places
        self.learnt.learn(
            lease, verdict, at, in_use=self.in_use, is_wanted=is_wanted, named=named
        )
        return self.learnt.limit


def full(limit: int = 10) -> tuple[Gate, list[Lease]]:
    """Return a gate with all its places taken at 0 s."""
    gate = Gate(limit)
    return gate, [gate.take() for _ in range(limit)]


def probing() -> tuple[Gate, list[Lease], Lease]:
    """Return a gate of 10 that has tried an eleventh place, and the probe's lease."""
    gate, leases = full()
    gate.end(leases.pop(), Verdict.SERVED, at=6.0)
    leases.append(gate.take(at=6.0))
    assert gate.end(leases.pop(0), Verdict.SERVED, at=20.0) == 11
    leases.append(gate.take(at=20.0))
    return gate, leases, gate.take(at=20.0)


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


def test_lone_refusals_close_the_gate_for_a_growing_time() -> None:
    """Refused time and again with nothing in flight, it waits up to 30 seconds."""
    gate, now, waits = Gate(), 0.0, []
    for _ in range(24):
        gate.end(gate.take(at=now), Verdict.REFUSED, at=now)
        waits.append(gate.learnt.closed_until - now)
        now = gate.learnt.closed_until

    longest = [min(LONGEST_CLOSURE, 2.0**n) for n in range(24)]
    assert all(
        most / 2 - 1e-6 <= wait <= most + 1e-6
        for wait, most in zip(waits, longest, strict=True)
    )


def test_success_resets_the_growing_closure() -> None:
    """After an answer, the next lone refusal closes the gate for a second at most."""
    gate = Gate()
    for now in (0.0, 10.0, 20.0, 30.0):
        gate.end(gate.take(at=now), Verdict.REFUSED, at=now)
    gate.end(gate.take(at=60.0), Verdict.SERVED, at=66.0)
    gate.end(gate.take(at=70.0), Verdict.REFUSED, at=70.0)

    assert gate.learnt.closed_until <= 71.0


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


def test_named_limit_is_not_probed_for_sixteen_windows() -> None:
    """What the service itself named is believed for a long time."""
    gate, leases = full()
    gate.end(leases.pop(), Verdict.SERVED, at=6.0)
    gate.end(leases.pop(), Verdict.REFUSED, at=7.0, named=8)

    early = 7.0 + 0.74 * WINDOWS_AFTER_NAMED * 6
    assert gate.end(leases.pop(), Verdict.SERVED, at=early) == 8
    assert gate.end(leases.pop(), Verdict.SERVED, at=early * 3) == 9


def test_a_place_is_probed_after_a_window() -> None:
    """After a mean service time without refusal one place more is tried."""
    gate, leases = full()

    assert gate.end(leases.pop(), Verdict.SERVED, at=6.0) == 10
    assert gate.end(leases.pop(), Verdict.SERVED, at=10.4) == 10
    assert gate.end(leases.pop(), Verdict.SERVED, at=15.0) == 11


def test_nothing_is_probed_while_nobody_waits() -> None:
    """The limit does not grow on idle places."""
    gate, leases = full()

    limits = [
        gate.end(lease, Verdict.SERVED, at=at, is_wanted=False)
        for lease, at in zip(leases, range(6, 106, 10), strict=True)
    ]

    assert limits == [10] * 10


def test_served_probes_double_the_step_at_once() -> None:
    """Each served probe adds twice as many places as the one before."""
    gate, _, probe = probing()

    limits = []
    for at in (21.0, 22.0, 23.0, 24.0):
        limits.append(gate.end(probe, Verdict.SERVED, at=at))
        while gate.in_use < gate.learnt.limit:
            probe = gate.take(at=at)

    assert limits == [13, 17, 25, 41]


def test_one_served_probe_stands_for_those_that_left_with_it() -> None:
    """The other probes of one step are no news once one of them was served."""
    gate, _, probe = probing()
    gate.end(probe, Verdict.SERVED, at=21.0)
    _, *probes = [gate.take(at=21.0) for _ in range(3)]

    assert [gate.end(each, Verdict.SERVED, at=21.5) for each in probes] == [17] * 2


def test_a_hung_probe_does_not_stop_learning() -> None:
    """Other places are tried although one probe never ends."""
    gate, leases, _ = probing()

    limits = [
        gate.end(lease, Verdict.SERVED, at=at)
        for lease, at in zip(leases, range(60, 360, 30), strict=True)
    ]

    assert limits[-1] > 15


def test_probes_from_before_a_refusal_are_no_news() -> None:
    """A late answer to an old probe does not raise a limit that was just lowered."""
    gate, _, probe = probing()
    gate.end(probe, Verdict.SERVED, at=21.0)
    old, refused = gate.take(at=21.0), gate.take(at=21.0)
    limit = gate.end(refused, Verdict.REFUSED, at=21.1)
    gate.end(gate.take(at=21.1), Verdict.REFUSED, at=21.2, named=5)

    assert gate.end(old, Verdict.SERVED, at=21.3) == 5 < limit


def test_unused_probes_do_not_heap_up_steps() -> None:
    """Places proven one by one while nobody waits do not make the next step large."""
    gate, _, probe = probing()
    gate.end(probe, Verdict.SERVED, at=21.0)
    limit = gate.learnt.limit
    probes = [gate.take(at=21.0) for _ in range(limit - gate.in_use)]
    for each in probes:
        assert gate.end(each, Verdict.SERVED, at=22.0, is_wanted=False) == limit

    assert gate.end(gate.take(at=23.0), Verdict.SERVED, at=90.0) == limit + 1


@pytest.mark.parametrize(("refusals", "windows"), [(1, 2.0), (2, 4.0), (5, 4.0)])
def test_refused_probes_are_repeated_less_often(refusals: int, windows: float) -> None:
    """Each refused probe doubles the wait for the next one, up to 4 windows."""
    gate, leases, probe = probing()
    for at in range(refusals):
        assert gate.end(probe, Verdict.REFUSED, at=21.0 + at) == 10
        gate.learnt.limit += 1
        probe = gate.take(at=21.0 + at)
    gate.end(probe, Verdict.ABANDONED, at=30.0)
    gate.learnt.limit = 10
    window = 7.4
    refused_at = 20.0 + refusals

    early = refused_at + 0.75 * windows * window - 0.5
    assert gate.end(leases[0], Verdict.REJECTED, at=early) == 10
    served = gate.take(at=early - window)
    assert gate.end(served, Verdict.SERVED, at=early) == 10
    late = gate.take(at=refused_at + 1.3 * windows * window)
    assert gate.end(late, Verdict.SERVED, at=late.taken_at + window) == 11


@pytest.mark.parametrize("verdict", [Verdict.REJECTED, Verdict.ABANDONED])
def test_other_verdicts_say_nothing_of_the_limit(verdict: Verdict) -> None:
    """An invalid request, or a cancelled one, leaves the limit alone."""
    gate, leases = full()

    assert [gate.end(lease, verdict, at=60.0) for lease in leases] == [10] * 10
    assert gate.learnt.closed_until == -math.inf


def test_failures_in_a_row_close_the_gate() -> None:
    """Five failures close it for a second at most; later ones meanwhile don't add."""
    gate, leases = full()
    for lease in leases[: FAILURES_TO_CLOSE - 1]:
        gate.end(lease, Verdict.FAILED, at=5.0)
    assert gate.learnt.closed_until == -math.inf
    for lease in leases[FAILURES_TO_CLOSE - 1 :]:
        gate.end(lease, Verdict.FAILED, at=5.0)

    assert 5.5 <= gate.learnt.closed_until <= 6.0
    assert not gate.learnt.allows(1, 0, 5.4)


@pytest.mark.parametrize("verdict", [Verdict.SERVED, Verdict.REJECTED, Verdict.REFUSED])
def test_any_answer_ends_a_row_of_failures(verdict: Verdict) -> None:
    """A service that answers at all is no failing service."""
    gate, leases = full()
    for lease in leases[:4]:
        gate.end(lease, Verdict.FAILED, at=5.0)
    gate.end(leases[4], verdict, at=5.0)
    gate.end(leases[5], Verdict.FAILED, at=5.0)

    assert gate.learnt.closed_until == -math.inf


def failing() -> Gate:
    """Return a gate closed by failures at 0 s."""
    gate, leases = full()
    for lease in leases:
        gate.end(lease, Verdict.FAILED, at=0.0)
    return gate


def test_one_trial_at_a_time_follows_a_closure() -> None:
    """When the gate opens again a single request tries; its success opens for all."""
    gate = failing()
    trial = gate.take(at=1.0)

    assert trial.is_trial
    assert not gate.learnt.allows(1, 1, 1.0)
    gate.end(trial, Verdict.SERVED, at=7.0)
    assert gate.learnt.allows(9, 1, 7.0)


def test_an_abandoned_trial_makes_way_for_another() -> None:
    """A cancelled trial says nothing, so the next one tries."""
    gate = failing()
    gate.end(gate.take(at=1.0), Verdict.ABANDONED, at=1.5)

    assert gate.learnt.allows(1, 0, 1.5)
    assert gate.take(at=1.5).is_trial


def test_failed_trials_close_the_gate_for_a_growing_time() -> None:
    """Closures double from trial to trial, up to 30 seconds."""
    gate, now, waits = failing(), 1.0, []
    for _ in range(8):
        gate.end(gate.take(at=now), Verdict.FAILED, at=now)
        waits.append(gate.learnt.closed_until - now)
        now = gate.learnt.closed_until

    longest = [2, 4, 8, 16, 30, 30, 30, 30]
    assert all(
        most / 2 - 1e-6 <= wait <= most + 1e-6
        for wait, most in zip(waits, longest, strict=True)
    )


def test_the_later_closure_holds() -> None:
    """A short pause does not shorten a long one."""
    learnt = LearntLimit(10)
    learnt.close(0.0, 60.0)
    learnt.close(1.0, 5.0)

    assert learnt.closed_until == 60.0


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
