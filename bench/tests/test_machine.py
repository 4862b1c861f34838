import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import machine


class Commit(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name) / "sources"
        self.root.mkdir()

    def git(self, folder: Path, *arguments: str) -> None:
        identity = ["-c", "user.name=Sample", "-c", "user.email=sample@example.com"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    def commit(self) -> str:
        with mock.patch.object(machine, "ROOT", self.root):
            return machine.commit()

    def test_what_decides_the_figures_makes_it_another_when_changed(self):
        files = ("bench/run.py", ".cargo/config.toml", "rust-toolchain.toml", "bench/lake.json", "crates/a/src/lib.rs")
        for name in (*files, "bench/cost/cpu.py", "docs/page.md"):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text("before", encoding="utf-8")
        for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=Sample"]):
            self.git(self.root, *words)
        self.assertRegex(self.commit(), "^[0-9a-f]{12}$")
        for name, changed in (*((name, True) for name in files), ("bench/cost/cpu.py", False), ("docs/page.md", False)):
            (self.root / name).write_text("after", encoding="utf-8")
            self.assertEqual(self.commit().endswith(", with changes"), changed, name)
            (self.root / name).write_text("before", encoding="utf-8")

    def test_a_file_that_is_not_committed_is_a_change_where_it_decides_the_figures(self):
        self.git(self.root, "init", "--quiet")
        self.git(self.root, "commit", "--quiet", "--allow-empty", "--message=Sample")
        for name, changed in (("docs/page.md", False), ("bench/run.py", True), ("crates/a/src/lib.rs", True)):
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("new", encoding="utf-8")
            self.assertEqual(self.commit().endswith(", with changes"), changed, name)
            file.unlink()

    def test_sources_without_a_checkout_have_none_also_within_another(self):
        self.assertEqual(self.commit(), "of no checkout")
        self.git(self.root.parent, "init", "--quiet")
        self.git(self.root.parent, "commit", "--quiet", "--allow-empty", "--message=Sample")
        self.assertEqual(self.commit(), "of no checkout")

    def test_nor_have_they_where_there_is_no_git(self):
        with mock.patch.object(machine.subprocess, "run", side_effect=FileNotFoundError):
            self.assertEqual(self.commit(), "of no checkout")


class Versions(unittest.TestCase):
    def test_those_of_python_are_what_is_installed_of_what_is_asked_for(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(machine, "ROOT", Path(folder)):
            bench = Path(folder) / "bench"
            bench.mkdir()
            (bench / "requirements.in").write_text("# a comment\nboto3==1.44.5   # the SDK\n", encoding="utf-8")
            pins = "boto3==1.44.6 \\\n    --hash=sha256:0\nbotocore==1.44.6 \\\n    --hash=sha256:1\n"
            (bench / "requirements.txt").write_text(pins, encoding="utf-8")
            self.assertEqual(machine._python_packages(), {"PyPI boto3": "1.44.6"})


if __name__ == "__main__":
    unittest.main()
