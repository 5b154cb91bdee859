"""The ledger under kills, freezes and cancellations: no place lost, nobody starves."""

from __future__ import annotations

from itertools import count

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ideogram_async._learning import LONGEST_CLOSURE, LearntLimit, Verdict
from ideogram_async.limiters._ledger import TIME_TO_LIVE, Ledger


@attrs.define(eq=False)
class Actor:
    """What a member knows."""

    name: str
    held: dict[int, int] = attrs.field(factory=dict[int, int])
    wanted: dict[int, tuple[int, bool]] = attrs.field(
        factory=dict[int, tuple[int, bool]]
    )
    given_back: list[tuple[int, int, Verdict, int | None]] = attrs.field(
        factory=list[tuple[int, int, Verdict, int | None]]
    )


class LedgerMachine(RuleBasedStateMachine):
    """Members come, wait, hold, freeze and die at random."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.numbers = count()
        self.actors = [Actor(f"m{number}") for number in range(3)]

    @initialize(places=st.integers(1, 12))
    def make(self, places: int) -> None:
        self.text = Ledger(LearntLimit(places)).text()

    def write(self, actor: Actor) -> None:
        """Let *actor* write what is new, and take what it is given."""
        ledger = Ledger.from_text(self.text)
        self.now = ledger.advance(self.now)
        ledger.join(actor.name)
        for number, places, verdict, named in actor.given_back:
            ledger.release(actor.name, number, places, verdict, named)
        actor.given_back.clear()
        ledger.hold(actor.name, actor.held, actor.wanted)
        ledger.wait(actor.name, [(n, *wish) for n, wish in actor.wanted.items()])
        before = {
            (name, number)
            for name, member in ledger.members.items()
            for number in member.leases
        }
        ledger.admit()
        for name, member in ledger.members.items():
            for number, lease in member.leases.items():
                is_new = (name, number) not in before
                alone = lease.level == lease.places
                assert not is_new or lease.level <= ledger.learnt.limit or alone
        for number in ledger.members[actor.name].leases.keys() - actor.held.keys():
            actor.held[number] = actor.wanted.pop(number)[0]
        trials = sum(
            lease.is_trial
            for member in ledger.members.values()
            for lease in member.leases.values()
        )
        assert ledger.learnt.trials == trials
        self.text = ledger.text()

    def at(self, number: int) -> Actor:
        return self.actors[number % len(self.actors)]

    @rule(who=st.integers(0, 9), places=st.integers(1, 8), front=st.booleans())
    def acquire(self, who: int, places: int, *, front: bool) -> None:
        actor = self.at(who)
        actor.wanted[next(self.numbers)] = (places, front)
        self.write(actor)

    @rule(
        who=st.integers(0, 9),
        verdict=st.sampled_from(Verdict),
        named=st.none() | st.integers(1, 20),
        writes=st.booleans(),
    )
    def release(
        self, who: int, verdict: Verdict, named: int | None, *, writes: bool
    ) -> None:
        actor = self.at(who)
        if actor.held:
            number, places = actor.held.popitem()
            actor.given_back.append((number, places, verdict, named))
        if writes:
            self.write(actor)

    @rule(who=st.integers(0, 9))
    def cancel(self, who: int) -> None:
        actor = self.at(who)
        if actor.wanted:
            actor.wanted.popitem()

    @rule(who=st.integers(0, 9))
    def look(self, who: int) -> None:
        self.write(self.at(who))

    @rule(who=st.integers(0, 9))
    def kill(self, who: int) -> None:
        """Let one die without a word, and another begin."""
        self.actors[who % len(self.actors)] = Actor(f"n{next(self.numbers)}")

    @rule(seconds=st.sampled_from([0.1, 2.0, 4.0, 20.0, 40.0]))
    def pass_time(self, seconds: float) -> None:
        """Freeze everybody: who does not write is not seen."""
        self.now += seconds

    @invariant()
    def limit_is_real(self) -> None:
        if hasattr(self, "text"):
            assert Ledger.from_text(self.text).learnt.limit >= 1

    def teardown(self) -> None:
        """Serve everybody that lives; then all places are free."""
        if not hasattr(self, "text"):
            return
        self.now += TIME_TO_LIVE + 1
        for _ in range(10_000):
            for actor in self.actors:
                self.write(actor)
                while actor.held:
                    number, places = actor.held.popitem()
                    actor.given_back.append((number, places, Verdict.SERVED, None))
                self.write(actor)
            if not any(actor.wanted or actor.held for actor in self.actors):
                break
            self.now += LONGEST_CLOSURE / 10
        ledger = Ledger.from_text(self.text)
        assert (ledger.in_use, ledger.waiting, ledger.learnt.trials) == (0, 0, 0)


LedgerMachine.TestCase.settings = settings(
    max_examples=50, stateful_step_count=40, deadline=None
)


class TestLedgerMachine(LedgerMachine.TestCase):
    """Whatever happens to its members, the ledger keeps its promises."""
