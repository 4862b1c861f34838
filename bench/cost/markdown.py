"""What the pages of the cost models have in common: amounts of money and tables."""

import sys
from pathlib import Path

import prices

sys.path.append(str(Path(__file__).resolve().parents[1]))

from tables import table  # bench/tables.py, as the other pages of the bench have them


def usd(value: float) -> str:
    if value == 0:
        return "0"
    if value < 0.00005:
        return "< 0.0001"
    return f"{value:,.4f}" if value < 1 else f"{value:,.2f}"


def price_table(listed: list[prices.Price]) -> str:
    rows = []
    for price in listed:
        # By the million where it is small.
        value, unit = (price.usd * 1e6, "million × ") if price.usd < 0.001 else (price.usd, "")
        rows.append([price.page, unit + price.unit, f"{value:,.10g}"])
    return table(["page", "of", "USD"], rows, left=2)
