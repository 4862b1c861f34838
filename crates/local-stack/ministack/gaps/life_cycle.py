"""The stack ends with whoever started it, and its functions end with the stack.

The gap: MiniStack runs until it is told to stop, so a starter that is killed leaves it behind; and it stops without ending the
processes of its functions. Here the end of standard input means what SIGTERM means: the system closes the pipe of a starter that died,
however it died.
"""

import os
import signal
import subprocess
import sys
import threading
import time
import types
import weakref

from ministack import app
from ministack.core import lambda_runtime

from .replacing import part, replace

# Hypercorn gives open requests 3 s, MiniStack a function 2 s.
SHUTDOWN_SECONDS = 15
FUNCTION_SECONDS = 2


def apply():
    functions = FunctionProcesses()
    # The module's own view of `subprocess`: everything as it is, but what it starts is known.
    replace(lambda_runtime, "subprocess", types.SimpleNamespace(**{**vars(subprocess), "Popen": functions.start}))
    replace(app, "_handle_lifespan", ending(functions, part(app, "_handle_lifespan")))
    threading.Thread(target=stop_at_end_of_input, args=(functions,), daemon=True, name="end-of-input").start()


class FunctionProcesses:
    """The processes that run functions; after `end` there are none, and no new ones."""

    def __init__(self):
        self._lock = threading.Lock()
        self._running = weakref.WeakSet()
        self._ended = False

    def start(self, *arguments, **options):
        with self._lock:
            if self._ended:
                raise OSError("MiniStack is stopping")
            process = subprocess.Popen(*arguments, **options)
            self._running.add(process)
            return process

    def end(self):
        with self._lock:
            self._ended = True
            running = [process for process in self._running if process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + FUNCTION_SECONDS
        for process in running:
            try:
                process.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def ending(functions, handle_lifespan):
    """The server's life, from start-up to shutdown, and then the functions' end."""

    async def handle(scope, receive, send):
        await handle_lifespan(scope, receive, send)
        functions.end()

    return handle


def stop_at_end_of_input(functions):
    # Not through sys.stdin's buffer: a thread that waits in there holds a lock which the interpreter's own end needs.
    while sys.stdin and os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SHUTDOWN_SECONDS)
    # Still here: something keeps the server from stopping. Nobody is left to notice.
    functions.end()
    os._exit(1)
