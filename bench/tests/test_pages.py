import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring import ROOT

BLOCK = re.compile(r"^(`{3,})[^\n]*\n.*?^\1[ ]*$|^ {4}[^\n]*$", re.MULTILINE | re.DOTALL)
"""Of code: fenced, or indented."""
SPAN = re.compile(r"(`+)[^`].*?\1", re.DOTALL)
LINK = re.compile(r"\]\([^)]*\)|<?https?://\S+")
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}_[A-Z_]+\b")


def placeholders(page: str) -> list[str]:
    """Words in capitals that a figure was to take the place of. Names of variables are code, and stand in its marks."""
    for code in (BLOCK, SPAN, LINK):
        page = code.sub("", page)
    return PLACEHOLDER.findall(page)


class Pages(unittest.TestCase):
    def test_a_placeholder_is_told_from_code(self):
        code = "    RUN=SOME_NAME cargo\n\n```\nOTHER_NAME\n```\n\nwith `THIRD_NAME`, [it](A_B_C/FOURTH_NAME.md)"
        page = f"It takes CPU_QUERY on AWS.\n\n{code}"
        self.assertEqual(placeholders(page), ["CPU_QUERY"])

    def test_every_figure_is_filled_in(self):
        for file in sorted((ROOT / "docs").rglob("*.md")):
            with self.subTest(file.name):
                self.assertEqual(placeholders(file.read_text(encoding="utf-8")), [])


if __name__ == "__main__":
    unittest.main()
