"""A warm invocation takes as long as the function does.

The gaps:

- After each answer MiniStack waits up to 50 ms for a first line of the function's log, so a function that logs nothing takes 55 ms where
  it could take 10. What a function wrote before it answered is in the pipe by then. A line that is later than the wait is not lost: it
  shows with the next invocation.
- The Runtime API sends the headers of an invocation, then its payload. Nagle's algorithm holds the payload back until the headers are
  acknowledged, which Linux delays by 40 ms on a connection that is kept open, as that of every compiled runtime is.
"""

import functools

from ministack.core.lambda_runtime import ProvidedWorker

from .replacing import part, replace

FIRST_LINE_SECONDS = 0.005


def apply():
    drain = part(ProvidedWorker, "_drain_stderr_bounded")
    replace(ProvidedWorker, "_drain_stderr_bounded", functools.partialmethod(drain, first_line_wait=FIRST_LINE_SECONDS))
    build = part(ProvidedWorker, "_build_handler_class")
    replace(ProvidedWorker, "_build_handler_class", sending_at_once(build))


def sending_at_once(build_handler_class):
    def built(worker, generation, pending):
        handler = build_handler_class(worker, generation, pending)
        handler.disable_nagle_algorithm = True
        return handler

    return built
