"""Starts MiniStack with its gaps closed, configured by MiniStack's own environment variables.

It stops on SIGTERM, and when its standard input ends.
"""

import importlib.metadata
import sys

VERSION = "1.5.33"


class Unsuitable(Exception):
    """The installed MiniStack is not the one that the gaps were written for."""


def require_version():
    try:
        installed = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        raise Unsuitable("ministack is not installed") from None
    if installed != VERSION:
        raise Unsuitable(f"ministack is {installed}, not {VERSION}")


def close_gaps():
    """Imports what it replaces only now: without the right version the names may not even be there."""
    try:
        from gaps import archive, decimals, invocation_speed, life_cycle, limits, pipes, time_to_live
        from gaps.replacing import MissingPart
    except ImportError as error:
        raise Unsuitable(f"ministack {VERSION} lacks a part: {error}") from None
    try:
        for gap in (decimals, limits, archive, time_to_live, pipes, invocation_speed, life_cycle):
            gap.apply()
    except MissingPart as error:
        raise Unsuitable(f"ministack {VERSION} lacks a part: {error}") from None


def main():
    try:
        require_version()
        close_gaps()
    except Unsuitable as problem:
        sys.exit(f"cannot start the local stack: {problem}")
    from ministack.app import main as run_ministack

    run_ministack()


if __name__ == "__main__":
    main()
