"""The gate reaches its measured figures against a simulated service."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from .gate_simulation import DeadlockError, Report, Scenario, VirtualLoop, run, simulate


SEEDS = (1, 2, 3)
MIX = ((1, 0.5), (2, 0.2), (4, 0.2), (8, 0.1))
STEPS = ((0.0, 10), (300.0, 4), (900.0, 16))


def assert_all_done(report: Report, items: int = 2_000) -> None:
    """Check that every item was served and every place given back."""
    assert report.done == items
    assert report.failed == 0
    assert [limiter.in_use for limiter in report.limiters] == [0] * len(report.limiters)
    assert [limiter.waiting for limiter in report.limiters] == [0] * len(
        report.limiters
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("scenario", "efficiency", "refusals"),
    [
        pytest.param(Scenario(), 0.97, 0.02, id="cap-10"),
        pytest.param(Scenario(caps=((0.0, 4),)), 0.97, 0.03, id="cap-4"),
        pytest.param(Scenario(caps=((0.0, 40),)), 0.88, 0.02, id="cap-40"),
        pytest.param(Scenario(caps=STEPS), 0.93, 0.025, id="cap-10-4-16"),
        pytest.param(Scenario(sizes=MIX), 0.9, 0.02, id="mix"),
    ],
)
def test_gate_is_efficient_and_polite(
    scenario: Scenario, efficiency: float, refusals: float, seed: int
) -> None:
    """Under each cap, unknown to the gate, work is near ideal and refusals are few."""
    report = simulate(attrs.evolve(scenario, seed=seed))

    assert_all_done(report)
    assert report.efficiency >= efficiency
    assert report.refusals_per_item <= refusals


@pytest.mark.parametrize(
    ("scenario", "efficiency", "refusals"),
    [
        pytest.param(Scenario(names_limit=True), 0.95, 0.01, id="cap-10"),
        pytest.param(
            Scenario(names_limit=True, caps=((0.0, 4),)), 0.95, 0.03, id="cap-4"
        ),
        pytest.param(Scenario(names_limit=True, caps=STEPS), 0.92, 0.02, id="steps"),
        pytest.param(Scenario(names_limit=True, sizes=MIX), 0.9, 0.03, id="mix"),
        pytest.param(Scenario(names_limit=True, foreign=0.5), 0.8, 0.03, id="foreign"),
    ],
)
def test_a_named_limit_saves_refusals_and_costs_no_efficiency(
    scenario: Scenario, efficiency: float, refusals: float
) -> None:
    """A refusal that names the limit leads to fewer refusals at the same efficiency."""
    report = simulate(scenario)

    assert_all_done(report)
    assert report.efficiency >= efficiency
    assert report.refusals_per_item <= refusals


@pytest.mark.parametrize(
    ("scenario", "efficiency", "refusals"),
    [
        pytest.param(Scenario(clients=2), 0.93, 0.025, id="two-gates"),
        pytest.param(Scenario(clients=3, items=1_998), 0.92, 0.03, id="three-gates"),
        pytest.param(Scenario(foreign=0.5), 0.8, 0.03, id="foreign-client"),
        pytest.param(
            Scenario(caps=((0.0, 10), (60.0, 0), (360.0, 10))), 0.88, 0.03, id="cap-0"
        ),
        pytest.param(
            Scenario(caps=((0.0, 10), (60.0, 1), (360.0, 10))), 0.9, 0.03, id="cap-1"
        ),
        pytest.param(Scenario(caps=((0.0, 200),)), 0.45, 0.05, id="cap-200"),
        pytest.param(Scenario(start=40), 0.96, 0.03, id="start-40"),
        pytest.param(Scenario(start=1), 0.94, 0.02, id="start-1"),
    ],
)
def test_gate_is_stable_where_the_limit_is_not_its_own(
    scenario: Scenario, efficiency: float, refusals: float
) -> None:
    """Other clients, a limit that vanishes for a while, or a far one cause no storm."""
    report = simulate(scenario)

    assert_all_done(report, scenario.items)
    assert report.efficiency >= efficiency
    assert report.refusals_per_item <= refusals


@pytest.mark.parametrize("seed", SEEDS)
def test_breaker_keeps_an_outage_from_failing_the_batch(seed: int) -> None:
    """In an outage of five minutes few attempts are made and hardly an item fails."""
    report = simulate(Scenario(outage=(60.0, 360.0), seed=seed))

    assert report.done == 2_000
    assert report.outage_attempts <= 120
    assert report.failed <= 5
    assert report.makespan <= 300 + 2_000 * 6 / 10 * 1.15


@pytest.mark.parametrize("seed", SEEDS)
def test_a_request_that_is_never_served_does_not_stop_the_others(seed: int) -> None:
    """Requests for 8 images under a cap of 4 wait for ever; all others are served."""
    sizes = ((1, 0.99), (8, 0.01))

    report = simulate(
        Scenario(sizes=sizes, caps=((0.0, 4),), items=400, horizon=3_000.0, seed=seed)
    )

    assert 380 <= report.done < 400
    assert report.limiters[0].in_use == report.limiters[0].waiting == 0


def test_virtual_time_jumps() -> None:
    """A virtual hour takes no time, and the clock shows it."""

    async def wait() -> float:
        await asyncio.sleep(3_600)
        return asyncio.get_running_loop().time()

    assert run(wait()) == pytest.approx(3_600)


def test_a_deadlock_in_virtual_time_is_an_error() -> None:
    """Waiting for what nobody does raises instead of hanging."""
    loop = VirtualLoop()
    forever = loop.create_future()

    with pytest.raises(DeadlockError, match="no timer"):
        loop.run_until_complete(forever)
    loop.close()
