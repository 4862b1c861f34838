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
PAGE = re.compile(r"\b[A-Z]+\.md\b")
"""A page's own name, such as RESULTS.md."""
PLACEHOLDER = re.compile(r"\b[A-Z]{4,}\b|\b[A-Z]{3,}_[A-Z_]+\b")
WORDS = frozenset(
    """
    AGPL ASCII BOOLEAN CAST COPY CTAS DELETE FHIR FIPS FIXED HEAD HOME HTML HTTP HTTPS INSERT JSON LIST MICROS MODIFY NDJSON NULL
    PATCH POST README REMOVE REST SELECT SIGINT SIGKILL SIGTERM SNAPSHOT TIMESTAMP UUID WHERE YAML
    """.split()
)
"""Those that are no placeholders. A new one is put here, or in the marks of code."""
PAGES = ("README.md", "bench/README.md", "docs/**/*.md")


def placeholders(page: str) -> list[str]:
    """Words in capitals that a figure was to take the place of. Names of variables are code, and stand in its marks."""
    for code in (BLOCK, SPAN, LINK, PAGE):
        page = code.sub("", page)
    return [word for word in PLACEHOLDER.findall(page) if word not in WORDS]


class Pages(unittest.TestCase):
    def test_a_placeholder_is_told_from_code(self):
        code = "    RUN=SOME_NAME cargo\n\n```\nOTHER_NAME\n```\n\nwith `THIRD_NAME`, [it](A_B_C/FOURTH_NAME.md)"
        page = f"It takes CPU_QUERY on AWS.\n\n{code}"
        self.assertEqual(placeholders(page), ["CPU_QUERY"])

    def test_a_placeholder_of_one_word_is_found_wherever_it_stands(self):
        page = "Now it is twice. ROUTER\n\nLAKE\n\n**The first TLS connection** JITTER. It is so.\n\n- NUMBERS\n- A REMOVE\n"
        self.assertEqual(placeholders(page + "\n[RESULTS.md](RESULTS.md), README.md"), ["ROUTER", "LAKE", "JITTER", "NUMBERS"])

    def test_every_figure_is_filled_in(self):
        for file in sorted(file for pages in PAGES for file in ROOT.glob(pages)):
            with self.subTest(str(file.relative_to(ROOT))):
                self.assertEqual(placeholders(file.read_text(encoding="utf-8")), [])


if __name__ == "__main__":
    unittest.main()
