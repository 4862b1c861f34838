"""Retry and Catch take the errors that AWS lets them take, and a retry waits as long as it says.

The gap: in MiniStack States.ALL catches what it cannot catch on AWS, and MaxDelaySeconds and JitterStrategy are ignored.
"""

import random

from ministack.services import stepfunctions

from ..replacing import part, replace

# Developer guide, "Handling errors in Step Functions workflows": no wildcard matches these.
TERMINAL_ERRORS = ("States.DataLimitExceeded", "States.Runtime")


def apply():
    replace(stepfunctions, "_error_matches", matching(part(stepfunctions, "_error_matches")))
    replace(stepfunctions, "_find_matching_retrier", with_its_pause(part(stepfunctions, "_find_matching_retrier")))


def matching(error_matches):
    def matches(names, error):
        return error in names if error in TERMINAL_ERRORS else error_matches(names, error)

    return matches


def with_its_pause(find_matching_retrier):
    """The retrier, saying the pause before the next attempt in the fields from which MiniStack works it out."""

    def find(retriers, error, retry_counts):
        retrier, index = find_matching_retrier(retriers, error, retry_counts)
        if retrier is None:
            return None, index
        return {**retrier, "IntervalSeconds": pause_seconds(retrier, retry_counts.get(index, 0)), "BackoffRate": 1}, index

    return find


def pause_seconds(retrier, retries):
    """How long to wait after so many retries."""
    pause = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2) ** retries
    pause = min(pause, retrier.get("MaxDelaySeconds", pause))
    return random.uniform(0, pause) if retrier.get("JitterStrategy") == "FULL" else pause
