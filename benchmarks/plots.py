"""The figures as plots."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from .table import LABELS


BLUE, GRAY, LIGHT, ORANGE = "#1f5fbf", "#8a929c", "#c9ced6", "#d9822b"
OURS: Final = "this gate"
STYLE: Final = {
    "svg.hashsalt": "ideogram_async",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
}


def draw(results: dict[str, Any], folder: Path) -> None:
    """Draw what was measured into *folder*."""
    folder.mkdir(exist_ok=True)
    mpl.use("svg")
    plots = {"cpu": ("cpu", cpu), "policies": ("long", policies)}
    plots |= {"memory": ("long", memory), "places": ("long", places)}
    with mpl.rc_context(STYLE):
        for name, (part, plot) in plots.items():
            if part in results:
                figure = plot(results)
                figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
                plt.close(figure)


def cpu(results: dict[str, Any]) -> Any:
    """Draw CPU per request by client."""
    by_load = results["cpu"]["by_load"]
    figure, axes = plt.subplots(
        1, len(by_load), figsize=(4 + 3 * len(by_load), 5), sharey=True
    )
    first = next(iter(by_load.values()))
    order = sorted(
        (name for name in first if "ratio" in first[name]),
        key=lambda name: -float(first[name]["ratio"]["median"]),
    )
    for axis, (load, found) in zip(axes, by_load.items(), strict=True):
        _bars(axis, [found.get(name, {}) for name in order], order)
        axis.set_title(f"{load} in flight")
    labels = [
        LABELS.get(name, name).replace("*", "").replace("`", "") for name in order
    ]
    axes[0].set_yticks(range(len(order)), labels)
    figure.suptitle("CPU per request, as a multiple of raw aiohttp + json.loads", x=0.5)
    return figure


def _bars(axis: Axes, found: list[dict[str, Any]], names: list[str]) -> None:
    for height, (each, name) in enumerate(zip(found, names, strict=True)):
        if "ratio" not in each:
            axis.text(0.2, height, "failed", va="center", color=GRAY, fontsize=8)
            continue
        ratio = each["ratio"]
        color = BLUE if name.startswith("generate") else LIGHT
        color = GRAY if name == "aiohttp" else color
        axis.barh(height, ratio["median"], color=color, height=0.7)
        axis.plot([ratio["min"], ratio["max"]], [height, height], color="#333333", lw=1)
        text = f"{ratio['median']:.2f}"
        axis.text(ratio["max"] * 1.08, height, text, va="center", fontsize=8)
    axis.axvline(1.25, color=ORANGE, lw=1, ls="--")
    axis.set_xscale("log")
    most = max(each["ratio"]["max"] for each in found if "ratio" in each)
    axis.set_xlim(0.1, most * 2.5)
    ticks = [tick for tick in (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if tick < most * 1.5]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.minorticks_off()


def policies(results: dict[str, Any]) -> Any:
    """Draw efficiency over refusals, a panel for each scenario."""
    found = results["long"]["simulated"]["policies"]
    names = list(next(iter(found.values())))
    across = 4
    down = -(-len(found) // across)
    figure, grid = plt.subplots(
        down, across, figsize=(13, 3.1 * down), sharex=True, sharey=True
    )
    colors = dict(zip(names, mpl.color_sequences["tab10"], strict=False))
    for axis, (where, by_policy) in zip(grid.flat, found.items(), strict=False):
        for name, each in by_policy.items():
            refusals = max(each["refusals"]["median"], 0.001)
            given_up = each["failed"]["median"] > 0.01
            axis.scatter(
                refusals,
                each["efficiency"]["median"],
                s=110 if name == OURS else 45,
                color=BLUE if name == OURS else colors[name],
                marker="*" if name == OURS else "x" if given_up else "o",
                label=name + (" (loses items)" if given_up else ""),
                zorder=3 if name == OURS else 2,
            )
        axis.set_title(where)
        axis.grid(color="#eeeeee")
        axis.set_xscale("log")
        axis.set_ylim(0.2, 1.02)
        axis.axvline(0.03, color=ORANGE, lw=1, ls="--", zorder=1)
    figure.supxlabel("refusals per item (0.001: none); dashed: wanted")
    figure.supylabel("efficiency: ideal makespan over makespan")
    handles, labels = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, frameon=False)
    return figure


def memory(results: dict[str, Any]) -> Any:
    """Draw memory over items."""
    stream, gather = results["long"]["stream"], results["long"]["gather"]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8))
    left.plot(*zip(*stream["points"], strict=True), color=BLUE, lw=2.5, clip_on=False)
    text = f"{stream['grown']:.1f} MiB at the most"
    left.text(stream["items"] / 2, 3, text, color=BLUE, ha="center")
    left.set_ylim(0, 70)
    left.axhline(64, color=ORANGE, lw=1, ls="--")
    left.set_title("stream_many: MiB over the client (dashed: wanted)")
    left.set_xlabel("prompts streamed")
    if "kept" in results:
        points = results["kept"]["points"]
        right.plot(*zip(*points, strict=True), color=BLUE, label="generate_many")
        last = points[-1][0]
        right.plot(
            [0, last],
            [0, 1500 * last / 2**20],
            color=ORANGE,
            lw=1,
            ls="--",
            label="wanted: 1.5 KB each",
        )
    right.scatter(
        [gather["items"]],
        [gather["grown"]],
        color=GRAY,
        marker="D",
        label="the script of today, at its peak",
    )
    title = "all results kept: MiB over the client"
    right.set(title=title, xlabel="items", ylim=(0, None))
    right.legend(frameon=False)
    for axis in (left, right):
        axis.set_xlim(0)
        axis.xaxis.set_major_formatter(mpl.ticker.EngFormatter(sep=""))
    return figure


def places(results: dict[str, Any]) -> Any:
    """Draw the images in progress over time while the cap changes."""
    simulated = results["long"]["simulated"]
    over_time = simulated["places"]
    figure, axes = plt.subplots(
        len(over_time), 1, figsize=(10, 1.9 * len(over_time)), sharex=True, sharey=True
    )
    end = max(at for points in over_time.values() for at, _ in points)
    starts = [at for at, _ in simulated["caps"]]
    caps = [cap for _, cap in simulated["caps"]]
    for axis, (name, points) in zip(axes, over_time.items(), strict=True):
        axis.step([*starts, end], [*caps, caps[-1]], where="post", color=ORANGE, lw=1)
        color = BLUE if name == OURS else GRAY
        axis.plot(*zip(*points, strict=True), color=color, lw=1.1)
        axis.set_title(f"{name} (orange: the service's cap, unknown to it)")
        axis.set_ylim(0, 18)
        axis.set_yticks([0, 4, 10, 16])
    axes[-1].set_xlim(0, end)
    axes[-1].set_xlabel("seconds of virtual time")
    figure.supylabel("images in progress")
    return figure
