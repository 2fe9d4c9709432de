"""A call's log lines are logged with it, and nobody waits for them.

On AWS the answer does not wait for log lines. In the emulator a thread reads them out of a pipe,
and every call waits 50 ms for a first one: most of the time that a quick function takes, and too
little on a busy machine, where lines then come with the next call, if there is one. But what a
function wrote before it answered is in the pipe by then, so that it can be taken from there.
"""

import os
import select
import threading
from collections.abc import Callable
from queue import Queue
from typing import Any

from ministack.core import lambda_runtime

from groundwork.local.hooks import wrap

_CHUNK_BYTES = 65_536
_PIPE = "_groundwork_pipe"


def install() -> None:
    """Take the lines out of the pipe when the answer is there, and wait for none."""
    wrap(lambda_runtime.Worker, "_read_stderr", _read, ("self",))
    wrap(
        lambda_runtime.Worker,
        "_drain_stderr_bounded",
        _drain,
        ("self", "first_line_wait", "idle_confirm", "hard_cap"),
    )


class _Pipe:
    """Where a process's log lines come from, read by whoever needs them first."""

    def __init__(self, descriptor: int, lines: "Queue[str]") -> None:
        self.lines = lines
        # A copy, as the emulator closes its own, whose number then may be another file's.
        self._descriptor = os.dup(descriptor)
        os.set_blocking(self._descriptor, False)
        self._is_open = True
        self._unfinished = b""
        self._lock = threading.Lock()

    def read(self) -> bool:
        """Queue what is there; return whether more may come."""
        with self._lock:
            while self._is_open:
                try:
                    data = os.read(self._descriptor, _CHUNK_BYTES)
                except BlockingIOError:
                    return True
                *whole, self._unfinished = (self._unfinished + data).split(b"\n")
                if not data:
                    whole = [self._unfinished] if self._unfinished else []
                    self._is_open = False
                for line in whole:
                    self.lines.put(line.decode("utf-8", "replace"))
            return False

    def read_all(self) -> None:
        """Go on reading for as long as the process lives."""
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLIN)
        while self.read():
            waiting.poll()
        os.close(self._descriptor)


def _read(_original: Callable[[Any], None], worker: Any) -> None:
    pipe = _Pipe(worker._proc.stderr.fileno(), worker._stderr_queue)
    setattr(worker, _PIPE, pipe)
    pipe.read_all()


def _drain(original: Callable[..., str], worker: Any, *waits: float, **named_waits: float) -> str:
    pipe = getattr(worker, _PIPE, None)
    # Another process's, or a custom runtime's, which is read in another way.
    if pipe is None or pipe.lines is not worker._stderr_queue:
        return original(worker, *waits, **named_waits)
    pipe.read()
    lines: str = worker._drain_stderr()
    return lines
