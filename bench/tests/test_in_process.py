import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from unittest import mock

import in_process
from in_process import InProcess, Job

PROGRAM = """
import json, sys
job, folder, mode, value = sys.argv[1:]
if job == "typed-parse" and mode == "check":
    sys.exit("a parse makes no records")
if mode == "check":
    family = "of gzip" if job == "enricher-gzip" and GZIP_DIFFERS else FAMILY
    open(value, "w").write("".join(json.dumps({"record": record, "by": family}) + "\\n" for record in range(4)))
else:
    print(json.dumps({"iterations": 5, "cpuSeconds": CPU}))
"""


BESIDE = {"typed-parse": "typed-parse", "tributary-gzip": "enricher-gzip"}


class OfAFakeProgram(unittest.TestCase):
    def contest(self, folder: Path, family_of_other: str = "same", gzip_differs: bool = False) -> InProcess:
        def program(name: str, cpu: float, family: str) -> list:
            file = folder / f"{name}.py"
            text = PROGRAM.replace("CPU", str(cpu)).replace("FAMILY", repr(family)).replace("GZIP_DIFFERS", str(gzip_differs))
            file.write_text(text, encoding="utf-8")
            return [sys.executable, file]

        programs = {"tributary": program("ours", 0.002, "same"), "go": program("other", 0.004, family_of_other)}
        job = Job("enricher/b4", "enricher", "enricher-4", 4, "event", {"tributary": "tributary", "go": "go"}, BESIDE)
        self.open.enter_context(mock.patch.object(in_process, "IN_PROCESS", programs))
        self.open.enter_context(mock.patch.object(in_process, "JOBS", [job]))
        return InProcess(folder, 1.0)

    def setUp(self):
        self.open = contextlib.ExitStack()
        self.addCleanup(self.open.close)
        self.folder = Path(self.open.enter_context(tempfile.TemporaryDirectory()))
        self.said = self.open.enter_context(contextlib.redirect_stdout(io.StringIO()))

    def test_a_value_is_cpu_time_a_record(self):
        (contest,) = self.contest(self.folder).contests()
        self.assertEqual(contest.measured_name, "enricher/b4/cpu-us-per-event")
        values = {who: round(measure(), 6) for who, measure in contest.measures.items()}
        self.assertEqual(values, {"tributary": 100.0, "go": 200.0, "typed-parse": 100.0, "tributary-gzip": 100.0})

    def test_the_gate_lets_equal_records_through_and_no_others(self):
        level = self.contest(self.folder)
        level.require_equal(level.contests(), self.folder)
        self.assertIn("equal: 4 records of enricher/b4, by tributary, go, tributary-gzip", self.said.getvalue())
        level = self.contest(self.folder, "another")
        with self.assertRaises(SystemExit) as ended:
            level.require_equal(level.contests(), self.folder)
        self.assertIn('differ in record 1, .by: "same" and "another"', str(ended.exception))

    def test_what_another_codec_holds_is_compared_too(self):
        level = self.contest(self.folder, gzip_differs=True)
        with self.assertRaises(SystemExit) as ended:
            level.require_equal(level.contests(), self.folder)
        self.assertIn("tributary and tributary-gzip differ in record 1", str(ended.exception))

    def test_a_program_that_fails_ends_the_run_with_what_it_said(self):
        level = self.contest(self.folder)
        (self.folder / "other.py").write_text("raise SystemExit('no such job')", encoding="utf-8")
        with self.assertRaises(SystemExit) as ended:
            level.require_equal(level.contests(), self.folder)
        self.assertIn("no such job", str(ended.exception))


if __name__ == "__main__":
    unittest.main()
