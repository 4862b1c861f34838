"""Tables of Markdown."""


def table(head: list[str], rows: list[list[str]], left: int = 1) -> str:
    """The first `left` columns are text, the others numbers."""
    rule = ["---"] * left + ["---:"] * (len(head) - left)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))
