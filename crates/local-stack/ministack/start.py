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
        from gaps import (
            archive,
            decimals,
            glue_partitions,
            invocation_speed,
            life_cycle,
            limits,
            long_polls,
            pipes,
            rule_invocations,
            service_events,
            stream_mappings,
            time_to_live,
        )
        from gaps.athena import engine, named_query, results
        from gaps.faults import failed_entries, refused_requests, unreliable_messages
        from gaps.replacing import MissingPart
        from gaps.step_functions import (
            distributed_map,
            executions,
            payloads,
            retries,
            state_machines,
            status_events,
            task_states,
            task_tokens,
        )
    except ImportError as error:
        raise Unsuitable(f"ministack {VERSION} lacks a part: {error}") from None
    try:
        for gap in (
            decimals,
            # The limits are told of a whole request, before any of its entries fails.
            failed_entries,
            limits,
            service_events,
            rule_invocations,
            archive,
            time_to_live,
            pipes,
            stream_mappings,
            engine,
            results,
            named_query,
            glue_partitions,
            invocation_speed,
            long_polls,
            executions,
            status_events,
            state_machines,
            task_states,
            task_tokens,
            retries,
            distributed_map,
            # Holds the requests to their limits that the others answer.
            payloads,
            refused_requests,
            unreliable_messages,
            life_cycle,
        ):
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
