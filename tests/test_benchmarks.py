"""The benchmarks can be run: their parts import, count, and make the table."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from .gate_simulation import Report, Scenario, Service, drawn, run


ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "tests/samples/benchmarks/results.json"
MODULES = sorted(
    path.stem
    for path in (ROOT / "benchmarks").glob("*.py")
    if not path.stem.startswith("__") and path.stem != "plots"  # matplotlib
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no getrusage")


@pytest.fixture(autouse=True)
def in_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the benchmarks, which are not installed, be imported."""
    monkeypatch.syspath_prepend(str(ROOT))


def load(name: str) -> ModuleType:
    """Return a module of the benchmarks."""
    return import_module(f"benchmarks.{name}")


@pytest.mark.parametrize("name", [*MODULES, "__main__"])
def test_every_part_imports(name: str) -> None:
    """Importing a part does nothing but import it, and it says what it is."""
    assert load(name).__doc__


@pytest.mark.parametrize(
    "name", ["raw", "aiohttp", "aiohttp form", "script", "generate", "generate_many"]
)
def test_every_answer_is_counted(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a client says that it sent is what the server answered."""
    server, loads = load("server"), load("load")

    with server.running() as url:
        asyncio.run(loads.measure(loads.find(name), url, 4, [20, 30]))
        answered = server.ledger_of(url)["answered"]

    slices = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["sent"] for each in slices] == [loads.WARM_UP + 20, 4 + 30]
    assert [each["right"] for each in slices] == [each["sent"] for each in slices]
    assert answered == sum(each["sent"] for each in slices)


def test_calls_are_told_by_layer() -> None:
    """The layers of a request are aiohttp's own and ours on top, and no third."""
    server, layers = load("server"), load("layers")

    with server.running() as url:
        theirs, ours = (layers.calls(name, url, 20) for name in ("aiohttp", "generate"))

    assert theirs["aiohttp"] > ours["request: encoded"] > 0
    assert set(ours) <= {*layers.LAYERS, layers.OTHER}
    assert theirs["request: encoded"] == theirs["gate"] == 0


@pytest.mark.parametrize(
    "name", ["waiters", "cancelled waiters", "views", "copies", "rows", "manifest"]
)
def test_items_cost_the_same_however_many(name: str) -> None:
    """Ten times the items are ten times the calls of functions, and no square."""
    growth = load("growth")

    few, many = (
        asyncio.run(growth.measure(name, "", items, 1))["calls"]
        for items in (100, 1000)
    )

    assert 0.9 < many / few < 1.1
    assert {name} | {load("goals").REFERENCE} <= set(growth.COUNTED)


@pytest.mark.parametrize("name", ["failover", "job"])
def test_growth_of_what_asks_a_server_is_measured(name: str) -> None:
    """Each case does what it says, or it would be no measurement."""
    with load("server").running() as url:
        figures = asyncio.run(load("growth").measure(name, url, 20, 1))

    assert figures["microseconds"] > 0


@pytest.mark.parametrize("name", ["upload", "download", "first", "parsed"])
def test_memory_is_measured(name: str) -> None:
    """Each case of memory and holds does what it says."""
    with load("server").running() as url:
        figures = asyncio.run(load("memory").CASES[name](url, 200))

    assert all(value >= 0 for key, value in figures.items() if key == "grown")


def test_a_hold_is_seen_and_told_apart() -> None:
    """A callback that holds the loop is seen, whoever is to blame."""
    stalls = load("stalls").Stalls()

    async def hold() -> None:
        async with stalls.watching():
            time.sleep(0.05)  # noqa: ASYNC251  # what must not be done

    asyncio.run(hold())

    assert stalls.wall >= 0.05
    assert 0.04 < stalls.held <= stalls.wall
    assert stalls.without_collector <= stalls.held


def test_every_policy_ends_every_item() -> None:
    """A policy serves an item or gives it up."""
    for name, policy in load("policies").POLICIES.items():
        scenario = Scenario(items=60, caps=((0.0, 4),))
        report = Report(limiters=[])
        service = Service(scenario, report)
        run(policy(service, drawn(scenario), report))

        assert (name, report.done) == (name, 60)
        assert service.in_progress == 0


def test_the_table_is_made_of_the_figures(tmp_path: Path) -> None:
    """The tables stand between the marks, with verdicts and who is faster."""
    results = json.loads(SAMPLE.read_text(encoding="utf-8"))
    page = tmp_path / "README.md"
    page.write_text(
        "# Before\n<!-- results: here -->\nstale figures\n<!-- end -->\nAfter\n"
    )

    load("table").write(results, page)

    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Before\n<!-- results: here -->\n")
    assert text.endswith("<!-- end -->\nAfter\n")
    assert "stale" not in text
    assert "begun 2026-11-20 10:00. Python" in text
    assert "| import over the five dependencies | <= 1.05 |" in text
    assert "**no**" in text
    assert "| yes |" in text
    assert "Where somebody is ahead of us" in text


def test_the_table_tells_of_several_runs(tmp_path: Path) -> None:
    """Parts that were measured at another time are named with it."""
    results = json.loads(SAMPLE.read_text(encoding="utf-8"))
    results["about"]["runs"] |= {"cpu": "2026-11-21 08:00", "files": "2026-11-21 08:00"}

    text = load("table").text(results)

    assert "Parts of 2 runs, begun: growth, imports, kept, long, sockets" in text
    assert "2026-11-20 10:00; cpu, files 2026-11-21 08:00. Python" in text


def test_a_client_that_fails_is_told_of() -> None:
    """The others are measured all the same."""
    cpu = load("cpu")
    pythons = dict.fromkeys(("aiohttp", "nobody"), sys.executable)

    found = cpu._at(4, cpu.Loads(2, {4: 40}), pythons)

    assert found["nobody"] == {"failed": "nobody: nobody is not installed"}
    assert found["aiohttp"]["ratio"] == {"median": 1.0, "min": 1.0, "max": 1.0, "n": 2}


def test_a_bound_is_for_the_median() -> None:
    """A goal is met at its bound, and missed beyond."""
    goals, figures = load("goals"), load("figures")
    measured = figures.spread([1.0, 1.25, 9.0])

    assert goals.Goal("CPU", "<=", 1.25, measured).is_met
    assert not goals.Goal("CPU", "<=", 1.2, measured).is_met
    assert goals.Goal("efficiency", ">=", 1.25, measured).is_met


def test_the_committed_page_has_the_tables_of_the_committed_results() -> None:
    """Nobody edits a figure by hand."""
    results = json.loads((ROOT / "benchmarks/results.json").read_text("utf-8"))
    page = (ROOT / "benchmarks/README.md").read_text(encoding="utf-8")

    assert load("table").text(results) in page
