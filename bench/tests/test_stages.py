import json
import os
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import first_tls
import stages

CRITERION = """#!{python}
import json, os, sys
from pathlib import Path
folder = Path(os.environ["CRITERION_HOME"]) / "job/decode/new"
folder.mkdir(parents=True)
assert sys.argv[1] == "--bench" and os.environ["TRIBUTARY_BENCH_INPUTS"] == "inputs"
about = dict(group_id="job", function_id="decode", throughput=dict(ElementsAndBytes=dict(elements=100, bytes=50_000)))
(folder / "benchmark.json").write_text(json.dumps(about))
(folder / "estimates.json").write_text(json.dumps(dict(median=dict(point_estimate=200_000.0))))
"""

FIRST_TLS = """#!{python}
import json, sys
from pathlib import Path
counter = Path(__file__).with_suffix(".count")
number = int(counter.read_text()) + 1 if counter.exists() else 1
counter.write_text(str(number))
Path(sys.argv[sys.argv.index("--json") + 1]).write_text(json.dumps(dict(firstConnectionMs=number)))
"""


class Programs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        said = unittest.mock.patch("builtins.print")
        said.start()
        self.addCleanup(said.stop)

    def program(self, text: str) -> Path:
        file = self.folder / "program"
        file.write_text(text.replace("{python}", sys.executable), encoding="utf-8")
        file.chmod(0o755)
        return file

    def stage(self, name: str, nanoseconds: float, throughput: dict, at: int) -> None:
        folder = self.folder / "criterion/job" / name / "new"
        folder.mkdir(parents=True)
        about = {"group_id": "job", "function_id": name, "throughput": throughput}
        (folder / "benchmark.json").write_text(json.dumps(about), encoding="utf-8")
        (folder / "estimates.json").write_text(json.dumps({"median": {"point_estimate": nanoseconds}}), encoding="utf-8")
        os.utime(folder / "benchmark.json", (at, at))

    def test_stages_are_read_in_their_order_and_have_a_rate_where_they_read_bytes(self):
        self.stage("map", 500.0, {"Elements": 10}, 2)
        self.stage("decode", 2_000.0, {"ElementsAndBytes": {"elements": 10, "bytes": 1_000}}, 1)
        self.assertEqual(
            stages.found(self.folder / "criterion"),
            [
                {"job": "job", "stage": "decode", "nsPerRecord": 200.0, "megabytesPerSecond": 500.0},
                {"job": "job", "stage": "map", "nsPerRecord": 50.0, "megabytesPerSecond": None},
            ],
        )

    def test_nothing_is_read_of_an_earlier_run(self):
        self.stage("gone", 500.0, {"Elements": 10}, 1)
        measured = stages.measure(self.program(CRITERION), Path("inputs"), self.folder / "criterion")
        self.assertEqual([(stage["stage"], stage["nsPerRecord"]) for stage in measured], [("decode", 2_000.0)])

    def test_who_measures_nothing_is_an_error(self):
        with self.assertRaises(SystemExit):
            stages.found(self.folder)

    def test_of_first_connections_the_median_counts(self):
        self.assertEqual(first_tls.measure(self.program(FIRST_TLS)), {"firstConnectionMs": (first_tls.STARTS + 1) / 2})


if __name__ == "__main__":
    unittest.main()
