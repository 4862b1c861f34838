"""What the pages of the cost models have in common: amounts of money and tables."""

import prices


def usd(value: float) -> str:
    if value == 0:
        return "0"
    if value < 0.00005:
        return "< 0.0001"
    return f"{value:,.4f}" if value < 1 else f"{value:,.2f}"


def table(head: list[str], rows: list[list[str]], right: int = 1) -> str:
    """Aligned to the right from the column `right` on."""
    lines = ["| " + " | ".join(head) + " |"]
    lines.append("| " + " | ".join("---" if i < right else "---:" for i in range(len(head))) + " |")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def price_table(listed: list[prices.Price]) -> str:
    rows = []
    for price in listed:
        # By the million where it is small.
        value, unit = (price.usd * 1e6, "million × ") if price.usd < 0.001 else (price.usd, "")
        rows.append([price.page, unit + price.unit, f"{value:,.10g}"])
    return table(["page", "of", "USD"], rows, right=2)
