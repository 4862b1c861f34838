"""On what was measured, and with which versions."""

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

from measuring import ROOT

PEERS = ROOT / "bench/peers"


def machine() -> dict:
    return {
        "cpu": processor(),
        "cores": os.cpu_count(),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1024**3:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "os": _found(r'^PRETTY_NAME="?([^"\n]+)', Path("/etc/os-release")) or platform.platform(),
    }


def versions() -> dict[str, str]:
    return {
        "tributary": commit(),
        "rustc": _said("rustc", "--version").split()[1],
        "node": _said("node", "--version").lstrip("v"),
        **_node_packages(),
        "python": platform.python_version(),
        **_python_packages(),
        # It counts in its configuration how often it was used.
        "go": _said(
            ROOT / ".tools/bench/bin/go", "env", "GOVERSION", GOTOOLCHAIN="local", XDG_CONFIG_HOME=str(ROOT / ".tools/go/config")
        ).removeprefix("go"),
        **_go_modules(),
    }


MEASURED = (
    "crates",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "rust-toolchain.toml",
    "bench/peers",
    ":(glob)bench/*.py",
    "bench/lake.json",
    "bench/requirements.txt",
)
"""What decides what is measured, and how: a change of it makes another figure."""


def commit() -> str:
    """Sources that are no checkout, such as those of an archive, have none. A file that is not committed is a change, too."""
    named = _git("rev-parse", "--short=12", "HEAD")
    if named is None:
        return "of no checkout"
    changed = _git("status", "--porcelain", "--untracked-files=normal", "--", *MEASURED)
    return f"{named}, with changes" if changed else named


def _git(*arguments: str) -> str | None:
    # A checkout of something else may be around the sources: it is not asked.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(ROOT.parent)}
    try:
        result = subprocess.run(["git", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def _node_packages() -> dict[str, str]:
    lock = json.loads((PEERS / "node/package-lock.json").read_text(encoding="utf-8"))["packages"]
    direct = [name for kind in ("dependencies", "devDependencies") for name in lock[""].get(kind, {})]
    return {f"npm {name}": lock[f"node_modules/{name}"]["version"] for name in direct}


def _python_packages() -> dict[str, str]:
    """Those that are asked for, as `requirements.txt` has them installed."""

    def pinned(name: str) -> dict[str, str]:
        text = (ROOT / "bench" / name).read_text(encoding="utf-8")
        return dict(re.findall(r"^([\w.-]+)==([\w.+!-]+)", text, re.MULTILINE))

    installed = pinned("requirements.txt")
    return {f"PyPI {name}": installed[name] for name in pinned("requirements.in")}


def _go_modules() -> dict[str, str]:
    module = (PEERS / "go/go.mod").read_text(encoding="utf-8")
    required = re.findall(r"^\s*(?:require )?(\S+/\S+) v(\S+)(?!.*// indirect)$", module, re.MULTILINE)
    return {f"Go {name}": version for name, version in required}


def processor() -> str:
    """Its model, as the system names it."""
    return _found(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo")) or platform.processor() or platform.machine()


def _found(pattern: str, file: Path) -> str | None:
    found = re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE) if file.exists() else None
    return found and found[1].strip()


def _said(*command, **environment: str) -> str:
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit(f"{command[0]} does not say its version")
    return result.stdout.strip()
