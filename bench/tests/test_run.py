import contextlib
import io
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import run


class Arguments(unittest.TestCase):
    def test_what_would_have_no_effect_together_is_refused(self):
        for words, said in (
            ("--write", "goes with --quick"),
            ("--quick --anyway", "of a full run"),
            ("--quick --no-write", "of a full run"),
            ("--quick --write --only publisher", "of all contests"),
            ("--quick --write --rounds 8", "9 rounds at least"),
            ("--rounds 0", "at least one"),
            ("--qui", "unrecognized"),
        ):
            with contextlib.redirect_stderr(io.StringIO()) as error, self.assertRaises(SystemExit) as ended:
                run.arguments(words.split())
            self.assertNotIn(ended.exception.code, (0, None), words)
            self.assertIn(said, error.getvalue(), words)

    def test_others_are_taken(self):
        for words in (
            "",
            "--quick",
            "--quick --write --rounds 9",
            "--quick --only publisher",
            "--only publisher --rounds 1 --anyway",
        ):
            run.arguments(words.split())


if __name__ == "__main__":
    unittest.main()
