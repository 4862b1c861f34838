import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

BENCH = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(BENCH))

import flows
import programs

DRIVER = """
import signal, sys
sys.path.insert(0, {bench!r})
import programs, run
signal.signal(signal.SIGTERM, run.end)
programs.printed([sys.executable, "-c", {child!r}])
"""

CHILD = """
import os, signal, sys, time
from pathlib import Path
def end(*_):
    Path({ended!r}).touch()
    sys.exit()
signal.signal(signal.SIGTERM, end)
Path({started!r}).write_text(str(os.getpid()))
time.sleep(60)
"""


class Ends(unittest.TestCase):
    def test_a_program_that_hangs_is_named_and_ended(self):
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        with mock.patch.object(programs, "LIMIT_SECONDS", 0.2), self.assertRaises(SystemExit) as ended:
            programs.printed(command)
        self.assertIn("not over after 0.2 s", str(ended.exception))
        self.assertIn("time.sleep(60)", str(ended.exception))

    def test_one_that_does_not_end_when_asked_to_is_killed(self):
        child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
        began = time.monotonic()
        with mock.patch.object(programs, "ENDS_WITHIN_SECONDS", 0.2), self.assertRaises(SystemExit):
            programs.ended([sys.executable, "-c", child], 1)
        self.assertLess(time.monotonic() - began, 30)

    def test_a_flow_that_hangs_is_named(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(flows, "print", create=True):
            program = Path(folder) / "flow-bench"
            program.write_text(f"#!{sys.executable}\nimport time; time.sleep(60)\n", encoding="utf-8")
            program.chmod(0o755)
            with (
                mock.patch.object(flows, "FLOW_BENCH", program),
                mock.patch.object(flows, "LIMIT_SECONDS", 0.2),
                self.assertRaises(SystemExit) as ended,
            ):
                flows.flow()
        self.assertIn("flow-bench --json", str(ended.exception))

    def test_what_is_running_does_not_outlive_a_run_that_is_ended(self):
        with tempfile.TemporaryDirectory() as folder:
            started, ended = Path(folder) / "started", Path(folder) / "ended"
            child = CHILD.format(started=str(started), ended=str(ended))
            driver = subprocess.Popen([sys.executable, "-c", DRIVER.format(bench=str(BENCH), child=child)])
            until = time.monotonic() + 30
            while not (started.exists() and started.read_text()) and time.monotonic() < until:
                time.sleep(0.02)
            driver.send_signal(signal.SIGTERM)
            self.assertEqual(driver.wait(30), 143)
            self.assertTrue(ended.exists())


if __name__ == "__main__":
    unittest.main()
