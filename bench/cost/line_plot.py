"""Lines over a rate, both axes logarithmic, as SVG."""

import math
from typing import NamedTuple

WIDTH, HEIGHT, LEFT, RIGHT, TOP = 400, 270, 52, 36, 34


class Line(NamedTuple):
    name: str
    colour: str
    points: list[tuple[float, float]]
    full_at: float | None
    """The rate from which on the line is dotted."""


class Panel(NamedTuple):
    title: str
    lines: list[Line]


def svg(panels: list[Panel], rates: tuple[float, float], values: tuple[float, float]) -> str:
    """The panels side by side, each with its legend."""
    legend = 18 * max(len(panel.lines) for panel in panels) + 34
    width, height = (LEFT + WIDTH + RIGHT) * len(panels), TOP + HEIGHT + legend
    drawn = "\n".join(
        f'<g transform="translate({(LEFT + WIDTH + RIGHT) * i + LEFT} {TOP})">\n{inside(panel, rates, values)}\n</g>'
        for i, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="{width}" height="{height}" fill="white"/>\n{drawn}\n</svg>\n'
    )


def inside(panel: Panel, rates: tuple[float, float], values: tuple[float, float]) -> str:
    def x(rate: float) -> float:
        return WIDTH * math.log(rate / rates[0]) / math.log(rates[1] / rates[0])

    def y(value: float) -> float:
        return HEIGHT - HEIGHT * math.log(value / values[0]) / math.log(values[1] / values[0])

    drawn = [f'<text x="0" y="-14" font-weight="bold">{panel.title}</text>']
    for at in decades(*values):
        drawn.append(f'<path d="M0 {y(at):.1f}H{WIDTH}" stroke="#ddd"/>')
        drawn.append(f'<text x="-6" y="{y(at) + 4:.1f}" text-anchor="end">{at:g}</text>')
    for at in decades(*rates):
        drawn.append(f'<path d="M{x(at):.1f} 0V{HEIGHT}" stroke="#ddd"/>')
        drawn.append(f'<text x="{x(at):.1f}" y="{HEIGHT + 16}" text-anchor="middle">{at:,.0f}/s</text>')
    for i, line in enumerate(panel.lines):
        within = [point for point in line.points if line.full_at is None or point[0] <= line.full_at]
        beyond = line.points[len(within) - 1 :]
        for points, dashes in ((within, ""), (beyond, ' stroke-dasharray="2 4"')):
            path = " ".join(f"{x(rate):.1f},{y(value):.1f}" for rate, value in points)
            drawn.append(f'<polyline points="{path}" fill="none" stroke="{line.colour}" stroke-width="2"{dashes}/>')
        drawn.append(f'<rect x="0" y="{HEIGHT + 32 + 18 * i}" width="16" height="4" fill="{line.colour}"/>')
        drawn.append(f'<text x="22" y="{HEIGHT + 38 + 18 * i}">{line.name}</text>')
    return "\n".join(drawn)


def decades(low: float, high: float) -> list[float]:
    return [10.0**n for n in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
