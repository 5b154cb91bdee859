"""What is wanted of the figures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import attrs

from .figures import Spread, spread


OURS: Final = "this gate"
REFERENCE: Final = "semaphore"
"""What the gate's waiters are seen beside."""
HOLD: Final = 20
"""Milliseconds that a callback may hold the event loop at most."""


@attrs.frozen
class Goal:
    """One line: what is wanted, and what was measured.

    Attributes:
        what: Of what.
        sign: `<=` or `>=`.
        wanted: The bound for the median.
        measured: The figure.
        unit: Of both.
        digits: Behind the point, when it is shown.
    """

    what: str
    sign: str
    wanted: float
    measured: Spread
    unit: str = ""
    digits: int = 2

    @property
    def is_met(self) -> bool:
        """Whether the median is within the bound."""
        median = self.measured["median"]
        return median >= self.wanted if self.sign == ">=" else median <= self.wanted


def goals(results: dict[str, Any]) -> Iterator[Goal]:
    """Yield the goals of the parts that were measured."""
    for part, found in (
        ("cpu", _cpu),
        ("imports", _imports),
        ("long", _policies),
        ("sockets", _sockets),
        ("files", _files),
        ("growth", _growth),
        ("kept", _kept),
        ("long", _long),
    ):
        if part in results:
            yield from found(results[part])


def _cpu(found: dict[str, Any]) -> Iterator[Goal]:
    for load, clients in found["by_load"].items():
        for name in ("generate", "generate learning", "generate_many"):
            what = f"CPU per request over raw aiohttp: `{name}`, {load} in flight"
            yield Goal(what, "<=", 1.25, clients[name]["ratio"])


def _imports(found: dict[str, Any]) -> Iterator[Goal]:
    ratio = found["ratio"]
    ours = ratio["ideogram_async"]
    yield Goal("import over the five dependencies", "<=", 1.05, ours)
    if client := ratio.get("IdeogramClient"):
        yield Goal("the same with the name of the client", "<=", 1.05, client)
    command = ratio["ideogram --help"]
    yield Goal("`ideogram --help` over the five dependencies", "<=", 1.5, command)


def _policies(found: dict[str, Any]) -> Iterator[Goal]:
    policies = found["simulated"]["policies"]
    ours = {where: by_policy[OURS] for where, by_policy in policies.items()}
    what = "efficiency at cap 10, simulated"
    yield Goal(what, ">=", 0.97, ours["cap 10"]["efficiency"], digits=3)
    for where, by_policy in policies.items():
        best = max(each["efficiency"]["median"] for each in by_policy.values())
        behind = spread([best - ours[where]["efficiency"]["median"]])
        what = f"efficiency behind the best policy: {where}"
        yield Goal(what, "<=", 0.02, behind, digits=3)
    for where, each in ours.items():
        what = f"refusals per item: {where}"
        yield Goal(what, "<=", 0.03, each["refusals"], digits=3)
    for who, each in found["simulated"]["fairness"].items():
        what = f"Jain index, {who} on one key, last hour of a long run"
        yield Goal(what, ">=", 0.9, each["jain_last_hour"], digits=3)


def _sockets(found: dict[str, Any]) -> Iterator[Goal]:
    efficiency = spread([found["scenarios"]["cap 10"]["efficiency"]])
    yield Goal("efficiency at cap 10, over sockets", ">=", 0.97, efficiency, digits=3)
    jain = spread([found["shares"]["jain_last_half"]])
    what = "Jain index, 2 clients on one key, over sockets"
    yield Goal(what, ">=", 0.9, jain, digits=3)


def _files(found: dict[str, Any]) -> Iterator[Goal]:
    size = f"{found['bytes'] / 2**30:g} GiB"
    for case in ("upload", "download"):
        what = f"{case} of {size}: peak memory over the start"
        yield Goal(what, "<=", 16, found[case]["grown"], "MiB", 1)
        what = f"{case} of {size}: longest hold of the event loop"
        yield Goal(what, "<=", HOLD, found[case]["stall"], "ms", 1)
    what = "first calls of a process: longest hold of the event loop"
    yield Goal(what, "<=", HOLD, found["first"]["stall"], "ms", 1)


def _growth(found: dict[str, Any]) -> Iterator[Goal]:
    for name, by_items in found.items():
        if name == REFERENCE:
            continue
        (first, few), *_, (last, many) = by_items.items()
        figure = "calls" if "calls" in few else "microseconds"
        base = few[figure]["median"]
        ratio = {
            key: value if key == "n" else value / base
            for key, value in many[figure].items()
        }
        unit = "calls" if figure == "calls" else "CPU"
        what = f"{name}: {unit} per item, {int(last):,} items over {int(first):,}"
        yield Goal(what, "<=", 1.1, ratio)


def _kept(found: dict[str, Any]) -> Iterator[Goal]:
    collect, items = found["collect"], f"{found['items']:,}"
    what = f"memory of each of {items} collected results"
    yield Goal(what, "<=", 1500, collect["each"], "bytes", 0)
    what = f"`generate_many`, {items} results kept: longest hold of the event loop"
    yield Goal(what, "<=", HOLD, collect["stall"], "ms", 1)
    what += ", with Python's collector off"
    yield Goal(what, "<=", HOLD, found["uncollected"]["stall"], "ms", 1)


def _long(found: dict[str, Any]) -> Iterator[Goal]:
    stream = found["stream"]
    what = f"stream of {stream['items']:,} prompts: peak memory over the client"
    yield Goal(what, "<=", 64, spread([stream["grown"]]), "MiB", 1)
    what = f"stream of {stream['items']:,} prompts: longest hold of the event loop"
    yield Goal(what, "<=", HOLD, spread([stream["stall"]]), "ms", 1)
    what += ", without Python's collector"
    yield Goal(what, "<=", HOLD, spread([stream["stall_own"]]), "ms", 1)


def lost(results: dict[str, Any]) -> Iterator[str]:
    """Yield the lines where somebody is ahead of us."""
    by_load = results.get("cpu", {}).get("by_load", {})
    for verb, load in product(("generate", "generate_many"), by_load):
        clients = by_load[load]
        ours = clients[verb]["ratio"]["median"]
        ahead = {
            name: each["ratio"]["median"]
            for name, each in clients.items()
            if "ratio" in each and not name.startswith("generate")
        }
        names = [f"{n} {r:.2f}" for n, r in ahead.items() if r < ours]
        if names:
            others = ", ".join(names)
            yield f"CPU, {load} in flight: {others}; `{verb}` {ours:.2f}"
    ratio = results.get("imports", {}).get("ratio", {})
    for name in ("fal_client", "replicate", "openai"):
        if name in ratio and ratio[name]["median"] < ratio["ideogram_async"]["median"]:
            one, other = ratio[name]["median"], ratio["ideogram_async"]["median"]
            yield f"import: {name} {one:.2f}; ours {other:.2f}"
    simulated = results.get("long", {}).get("simulated", {}).get("policies", {})
    for where, by_policy in simulated.items():
        ours = by_policy[OURS]["efficiency"]["median"]
        names = [
            f"{name} {each['efficiency']['median']:.3f}"
            f" ({each['refusals']['median']:.2f} refusals per item)"
            for name, each in by_policy.items()
            if each["efficiency"]["median"] > ours and not each["failed"]["median"]
        ]
        if names:
            yield f"efficiency, {where}: {', '.join(names)}; ours {ours:.3f}"
