"""The ratios as bars, beside their goals. The same results make the same file: no date is in it, and its ids are not random."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as pyplot  # noqa: E402
import names  # noqa: E402
from contests import COMPARISONS  # noqa: E402
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: E402

RATIOS = Path(__file__).resolve().parent / "plots/ratios.svg"

GREY = "#808080"
"""Of text and lines: it can be read on white and on black."""
COLOURS = {"node": "#3c9a4e", "python": "#3d7fc1", "go": "#c98a1b"}
GOAL = "#d0342c"

STYLE = {
    "svg.hashsalt": "tributary",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": GREY,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}


def ratios(results: dict, file: Path = RATIOS) -> None:
    """By contest, a bar for each peer: how many times its CPU time is ours. On a logarithmic scale."""
    of_contests: dict[str, list[dict]] = {}
    for ratio in results["ratios"]:
        contest, other, ours = names.of_ratio(ratio["name"])
        if other not in COMPARISONS:
            of_contests.setdefault(contest, []).append({**ratio, "other": other, "ours": ours})
    with pyplot.rc_context(STYLE):
        rows = sum(len(bars) + 1 for bars in of_contests.values())
        figure, axes = pyplot.subplots(figsize=(8.6, 0.23 * rows + 0.7))
        axes.set_xscale("log")
        at, ticks = 0.0, []
        for contest, bars in of_contests.items():
            axes.text(1.0, at, names.of_contest(contest), va="center", fontweight="bold")
            for bar in bars:
                at += 1
                _bar(axes, at, bar)
                ticks.append((at, names.of_pair(contest, bar["other"], bar["ours"])))
            at += 1.25
        axes.set_yticks([place for place, _ in ticks], [label for _, label in ticks])
        axes.set_ylim(at - 0.5, -0.7)
        values = [bar["value"] for bars in of_contests.values() for bar in bars]
        axes.set_xlim(min(1, *values), 2 * max(values))
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} ×"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(axis="x", color=GREY, alpha=0.25)
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        for side in ("top", "right", "left"):
            axes.spines[side].set_visible(False)
        axes.set_xlabel("CPU time of the peer over Tributary's, longer is better for Tributary; the red mark is the goal")
        figure.tight_layout()
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        pyplot.close(figure)


def _bar(axes, at: float, bar: dict) -> None:
    colour = COLOURS[bar["other"].partition("-")[0]]
    axes.barh(at, bar["value"] - 1, left=1, height=0.72, color=colour, alpha=0.65 if "hand-tuned" in bar["other"] else 1)
    end = max(bar["value"], bar["goal"] or 0)
    axes.text(end * 1.03, at, f"{names.number(bar['value'])} ×", va="center")
    if bar["goal"]:
        axes.plot([bar["goal"]] * 2, [at - 0.42, at + 0.42], color=GOAL, linewidth=2)
